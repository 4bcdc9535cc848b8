/* A stream from a peer: split into frames, each decoded, each header read by a few of the layouts,
 * which its opaque chooses. The first byte says in which pieces the stream comes. */
#include "lib/base/buffer.h"
#include "lib/protocol/frame_splitter.h"
#include "lib/protocol/headers.h"
#include "lib/protocol/remoting_command.h"
#include "test/fuzz/fuzz.h"

enum { HEADER_BYTES_MOST = 1024, LAYOUTS_EACH = 4 };

static const struct header_layout *const layouts[] = {
#define HEADER_BEGIN(header) &header##_layout,
#define REQUIRED(type, member, wire)
#define OPTIONAL(type, member, wire, absent)
#define HEADER_END(header)
#include "lib/protocol/headers.def"
};

static void read_command(struct slice frame)
{
    static const size_t COUNT = sizeof layouts / sizeof *layouts;
    struct remoting_command command;
    struct buffer text;
    if (remoting_command_decode(&command, frame, NULL) != MQC_OK) return;
    for (size_t i = 0; i < LAYOUTS_EACH; i++) {
        const struct header_layout *layout = layouts[((uint32_t)command.opaque + i) % COUNT];
        _Alignas(max_align_t) char header[HEADER_BYTES_MOST];
        FUZZ_HOLDS(layout->size <= sizeof header);
        header_decode(layout, &command, header, NULL);
    }
    buffer_init(&text);
    remoting_command_describe(&command, &text);
    buffer_done(&text);
    remoting_command_done(&command);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct frame_splitter splitter;
    size_t piece = size > 0 ? bytes[0] + 1U : 1, taken = size > 0;
    bool whole = true;
    frame_splitter_init(&splitter);
    while (whole && taken < size) {
        char *at;
        size_t room;
        if (frame_splitter_space(&splitter, &at, &room, NULL) != MQC_OK) break;
        FUZZ_HOLDS(room > 0);
        if (room > piece) room = piece;
        if (room > size - taken) room = size - taken;
        memcpy(at, bytes + taken, room);
        frame_splitter_filled(&splitter, room);
        taken += room;
        struct slice frame;
        while ((whole = frame_splitter_next(&splitter, &frame, NULL) == MQC_OK) && frame.data) {
            struct frame *kept = frame_splitter_keep(&splitter, frame);
            read_command(frame);
            frame_unref(kept);
        }
    }
    frame_splitter_done(&splitter);
    return 0;
}
