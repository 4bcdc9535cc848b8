/* Cuts a stream of bytes into frames. Pure: the caller asks where the next bytes may be written,
 * reads them from wherever, says how many came, and takes the whole frames out.
 *
 * Small frames stay in one inbox and are borrowed until the next call; a frame too large for that
 * gets a block of its own, into which the stream is read directly and which can be kept uncopied.
 */
#ifndef PROTOCOL_FRAME_SPLITTER_H
#define PROTOCOL_FRAME_SPLITTER_H

#include <mqclient/status.h>

#include "lib/base/reference.h"
#include "lib/base/slice.h"

enum {
    FRAME_INBOX_BYTES = 64 << 10,
    FRAME_OWN_BLOCK_BYTES = 16 << 10 /* frames from this size on get a block of their own */
};

/* Counted bytes of one frame, with a zero byte behind them. */
struct frame {
    struct reference references;
    size_t size;
    char bytes[];
};

struct frame *frame_copy(struct slice bytes); /* NULL: no memory */
struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame *frame); /* NULL is fine */

struct frame_splitter {
    char *inbox; /* allocated with the first bytes */
    size_t begin, end;
    struct frame *large; /* being filled, or just handed out */
    size_t large_filled;
    bool large_handed_out;
};

void frame_splitter_init(struct frame_splitter *splitter);
void frame_splitter_done(struct frame_splitter *splitter);

/* Where the next bytes belong and how many fit there (at least 1). To be called when
 * frame_splitter_next has no frame left. MQC_NO_MEMORY. */
mqc_status frame_splitter_space(struct frame_splitter *splitter, char **at, size_t *bytes,
                                mqc_error *error);
void frame_splitter_filled(struct frame_splitter *splitter, size_t bytes);

/* The next whole frame with its length word, or an absent slice when more bytes are needed. Valid
 * until the next call on the splitter. MQC_BAD_FRAME when the stream cannot be RocketMQ's: too
 * long, too short, an unknown serialization, a header longer than the frame. */
mqc_status frame_splitter_next(struct frame_splitter *splitter, struct slice *frame,
                               mqc_error *error);

/* Keeps the frame that was returned last: without a copy when it has a block of its own. A command
 * decoded from it is then moved with remoting_command_rebase. NULL: no memory. */
struct frame *frame_splitter_keep(struct frame_splitter *splitter, struct slice frame);

#endif
