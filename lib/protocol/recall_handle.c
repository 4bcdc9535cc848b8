/* Reading recall handles: the producer must know whose broker to ask. */
#include "lib/protocol/recall_handle.h"

#include "lib/base/error.h"

/* The six bits of a digit of RFC 4648 §5; -1 for anything else. */
static int digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* With or without padding, as Java's decoder; the size, or -1. */
static int decode_base64(const char *in, char *out)
{
    size_t length = strlen(in), digits = strcspn(in, "="), size = 0;
    bool padded = length > digits;
    if (length >= RECALL_HANDLE_BYTES || digits % 4 == 1) return -1;
    if (padded && (length % 4 != 0 || length - digits > 2 || in[length - 1] != '=')) return -1;
    uint32_t bits = 0;
    for (size_t i = 0; i < digits; i++) {
        int value = digit(in[i]);
        if (value < 0) return -1;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0) out[size++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    return (int)size;
}

mqc_status recall_handle_decode(const char *handle, struct recall_handle *out, mqc_error *error)
{
    int size = handle ? decode_base64(handle, out->text) : -1;
    if (size >= 0) {
        struct slice rest = slice_of(out->text, (size_t)size);
        struct slice version = slice_split(&rest, " ");
        out->topic = slice_split(&rest, " ");
        out->broker_name = slice_split(&rest, " ");
        out->time = slice_split(&rest, " ");
        out->message_id = slice_split(&rest, " ");
        if (slice_is(version, "v1") && out->topic.size > 0 && out->broker_name.size > 0 &&
            out->time.size > 0 && out->message_id.size > 0)
            return MQC_OK;
    }
    return error_set(error, MQC_BAD_ARGUMENT,
                     "recall handle is invalid: \"%.60s\" is not what the result of a send with a "
                     "time of delivery has in recall_handle",
                     handle ? handle : "");
}
