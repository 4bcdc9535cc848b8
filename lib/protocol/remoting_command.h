/* The remoting command: what every frame carries. Pure functions over bytes; both serializations
 * (JSON: type 0, ROCKETMQ: type 1; RemotingCommand.java). */
#ifndef PROTOCOL_REMOTING_COMMAND_H
#define PROTOCOL_REMOTING_COMMAND_H

#include "lib/base/buffer.h"
#include "lib/protocol/codes.h"
#include "lib/protocol/headers.h"

enum {
    COMMAND_LANGUAGE_CPP = 1, /* LanguageCode.java has no C */
    COMMAND_VERSION = 513,    /* V5_5_0 in MQVersion.java */
    COMMAND_FLAG_RESPONSE = 1,
    COMMAND_FLAG_ONEWAY = 2,
    COMMAND_MAX_FIELDS = 64,
    FRAME_MAX_BYTES = 16 << 20 /* com.rocketmq.remoting.frameMaxLength, all of the frame */
};

enum serialize_type { SERIALIZE_JSON = 0, SERIALIZE_ROCKETMQ = 1 };

struct command_field {
    struct slice name;
    struct slice value;
};

/* A decoded command. Slices point into the frame that was decoded, or into `unescaped`. */
struct remoting_command {
    int32_t code;
    int32_t opaque;
    int32_t flag;
    int32_t version;
    uint8_t language;
    enum serialize_type serialize_type;
    struct slice remark;
    struct slice body; /* absent when there is none */
    size_t field_count;
    struct command_field fields[COMMAND_MAX_FIELDS];
    char *unescaped; /* owned: values that had JSON escapes; NULL when there were none */
};

/* Decodes one whole frame (its length word included). On success release with
 * remoting_command_done; on failure (MQC_BAD_FRAME, MQC_NO_MEMORY) there is nothing to release. */
mqc_status remoting_command_decode(struct remoting_command *command, struct slice frame,
                                   mqc_error *error);
void remoting_command_done(struct remoting_command *command);

static inline bool remoting_command_is_response(const struct remoting_command *command)
{
    return (command->flag & COMMAND_FLAG_RESPONSE) != 0;
}

static inline bool remoting_command_is_oneway(const struct remoting_command *command)
{
    return (command->flag & COMMAND_FLAG_ONEWAY) != 0;
}

/* Makes a decoded command refer to a copy of its frame instead of the frame it was decoded from. */
void remoting_command_rebase(struct remoting_command *command, struct slice old_frame,
                             const char *new_bytes);

/* Moves a decoded command: `to` is released instead of `from`. Copies no more fields than there
 * are. */
void remoting_command_move(struct remoting_command *to, struct remoting_command *from);

/* The value of an extension field; absent slice when there is none. */
struct slice remoting_command_field(const struct remoting_command *command, const char *name);

/* A command to be sent. Everything is borrowed. */
struct credentials; /* signature.h */

struct command_to_send {
    int32_t code; /* of the request, or the response code when flag says response */
    int32_t flag;
    const struct header_layout *layout; /* NULL: no header */
    const void *header;                 /* the struct that layout describes */
    const struct command_field *extra;  /* further fields, none of the layout's; may be NULL */
    size_t extra_count;
    struct slice remark;
    struct slice body;
    bool gathers; /* one of many: may leave a moment later with others (remoting_output.c) */
    bool dressed; /* of no interest to the encoder: remoting_client.h */
    const struct credentials *own_credentials; /* the same: instead of the client's; or NULL */
};

/* Appends the whole frame to `out`. Codes above 32767 do not fit the binary header and go out as
 * JSON whatever `type` says. With credentials a request is signed (AclClientRPCHook.java);
 * answers never are. A frame above FRAME_MAX_BYTES is MQC_TOO_BIG. On failure `out` is as it was
 * before. */
mqc_status remoting_command_encode(struct buffer *out, const struct command_to_send *command,
                                   int32_t opaque, enum serialize_type type,
                                   const struct credentials *credentials, mqc_error *error);

/* One line for the log: names of code and fields, values cut, no secrets, no body. */
void remoting_command_describe(const struct remoting_command *command, struct buffer *out);

#endif
