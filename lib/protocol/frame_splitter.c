/* Cutting a stream into frames: see the header. Confined to the thread that reads the connection
 * (the remoting client's, or the embedded server's), which alone calls it. */
#include "lib/protocol/frame_splitter.h"

#include "lib/base/bug.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/frame_prefix.h"

static struct frame *frame_new(size_t size)
{
    struct frame *frame = memory_allocate(sizeof *frame + size + 1);
    if (!frame) return NULL;
    reference_init(&frame->references);
    frame->size = size;
    frame->bytes[size] = '\0';
    return frame;
}

struct frame *frame_copy(struct slice bytes)
{
    struct frame *frame = frame_new(bytes.size);
    if (frame && bytes.size > 0) memcpy(frame->bytes, bytes.data, bytes.size);
    return frame;
}

struct frame *frame_ref(struct frame *frame)
{
    reference_take(&frame->references);
    return frame;
}

void frame_unref(struct frame *frame)
{
    if (frame && reference_drop(&frame->references)) memory_free(frame);
}

void frame_splitter_init(struct frame_splitter *splitter)
{
    *splitter = (struct frame_splitter){0};
}

void frame_splitter_done(struct frame_splitter *splitter)
{
    memory_free(splitter->inbox);
    frame_unref(splitter->large);
    frame_splitter_init(splitter);
}

/* The block that was handed out is the splitter's only until the next call. */
static void drop_handed_out(struct frame_splitter *splitter)
{
    if (!splitter->large_handed_out) return;
    frame_unref(splitter->large);
    splitter->large = NULL;
    splitter->large_handed_out = false;
}

/* Moves the beginning of a frame to the front when less than a small frame fits behind it. */
static void make_room(struct frame_splitter *splitter)
{
    size_t left = splitter->end - splitter->begin;
    if (left > 0 && FRAME_INBOX_BYTES - splitter->end >= FRAME_OWN_BLOCK_BYTES) return;
    if (left > 0 && splitter->begin > 0)
        memmove(splitter->inbox, splitter->inbox + splitter->begin, left);
    splitter->begin = 0;
    splitter->end = left;
}

mqc_status frame_splitter_space(struct frame_splitter *splitter, char **at, size_t *bytes,
                                mqc_error *error)
{
    drop_handed_out(splitter);
    if (splitter->large) {
        *at = splitter->large->bytes + splitter->large_filled;
        *bytes = splitter->large->size - splitter->large_filled;
    } else {
        if (!splitter->inbox) splitter->inbox = memory_allocate(FRAME_INBOX_BYTES);
        if (!splitter->inbox) return error_no_memory(error);
        make_room(splitter);
        *at = splitter->inbox + splitter->end;
        *bytes = FRAME_INBOX_BYTES - splitter->end;
    }
    BUG_IF(*bytes == 0, "bytes read for a frame splitter whose whole frames were not taken out");
    return MQC_OK;
}

void frame_splitter_filled(struct frame_splitter *splitter, size_t bytes)
{
    if (splitter->large) {
        BUG_IF(splitter->large_handed_out || bytes > splitter->large->size - splitter->large_filled,
               "%zu bytes filled into a frame that has no place for them", bytes);
        splitter->large_filled += bytes;
    } else {
        BUG_IF(bytes > FRAME_INBOX_BYTES - splitter->end, "%zu bytes filled into a full inbox",
               bytes);
        splitter->end += bytes;
    }
}

/* Gives the frame that begins the inbox a block of its own and moves there what is known of it. */
static mqc_status begin_large(struct frame_splitter *splitter, size_t frame_size, mqc_error *error)
{
    size_t known = splitter->end - splitter->begin;
    if (known > frame_size) known = frame_size;
    splitter->large = frame_new(frame_size);
    if (!splitter->large) return error_no_memory(error);
    memcpy(splitter->large->bytes, splitter->inbox + splitter->begin, known);
    splitter->large_filled = known;
    splitter->begin += known;
    return MQC_OK;
}

mqc_status frame_splitter_next(struct frame_splitter *splitter, struct slice *frame,
                               mqc_error *error)
{
    *frame = SLICE_ABSENT;
    drop_handed_out(splitter);
    size_t left = splitter->end - splitter->begin;
    if (!splitter->large && left > 0) {
        struct slice bytes = slice_of(splitter->inbox + splitter->begin, left);
        struct frame_prefix prefix;
        mqc_status status = frame_prefix_read(bytes, &prefix, error);
        if (status == MQC_OK && prefix.header_size > 0 &&
            prefix.frame_size >= FRAME_OWN_BLOCK_BYTES)
            status = begin_large(splitter, prefix.frame_size, error);
        if (status != MQC_OK) return status;
        if (!splitter->large && prefix.header_size > 0 && left >= prefix.frame_size) {
            *frame = slice_of(bytes.data, prefix.frame_size);
            splitter->begin += prefix.frame_size;
        }
    }
    if (splitter->large && splitter->large_filled == splitter->large->size) {
        *frame = slice_of(splitter->large->bytes, splitter->large->size);
        splitter->large_handed_out = true;
    }
    return MQC_OK;
}

struct frame *frame_splitter_keep(struct frame_splitter *splitter, struct slice frame)
{
    if (splitter->large_handed_out && frame.data == splitter->large->bytes)
        return frame_ref(splitter->large);
    return frame_copy(frame);
}
