/* For tests of decoders: bodies of golden frames, and damaged copies of good bytes. */
#ifndef TEST_UNIT_PROTOCOL_DAMAGE_H
#define TEST_UNIT_PROTOCOL_DAMAGE_H

#include <stdlib.h>

#include "lib/protocol/remoting_command.h"
#include "test/unit/unit.h"

enum { DAMAGE_MUTATIONS = 4000 };

#define assert_slice(actual, expected)                                                             \
    do {                                                                                           \
        struct slice actual_ = (actual);                                                           \
        ck_assert_msg(slice_is(actual_, (expected)), "'%.*s' is not '%s'", SLICE_FORMAT(actual_),  \
                      (expected));                                                                 \
    } while (0)

#define assert_ok(call, error)                                                                     \
    do {                                                                                           \
        mqc_status status_ = (call);                                                               \
        ck_assert_msg(status_ == MQC_OK, "status %d: %s", (int)status_,                            \
                      status_ == MQC_OK ? "" : (error)->text);                                     \
    } while (0)

/* The body of a golden frame; lives until the process ends. */
static inline struct slice golden_body(const char *name)
{
    static const char *kept[64]; /* for the leak sanitizer */
    static size_t kept_count;
    struct remoting_command command;
    mqc_error error;
    struct slice frame = golden_bytes(name);
    ck_assert_uint_lt(kept_count, sizeof kept / sizeof *kept);
    kept[kept_count++] = frame.data;
    mqc_status status = remoting_command_decode(&command, frame, &error);
    ck_assert_msg(status == MQC_OK, "%s: %s", name, status == MQC_OK ? "" : error.text);
    struct slice body = command.body;
    remoting_command_done(&command);
    return body;
}

static inline uint32_t damage_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Feeds every prefix and then thousands of mutations, the same in every run. Each comes in memory
 * of exactly its size, so that a sanitizer sees the first byte read beyond. */
static inline void damage_each(struct slice good, void (*feed)(struct slice damaged, void *arg),
                               void *arg)
{
    uint32_t random = 2463534242U;
    for (size_t i = 0; i < good.size + DAMAGE_MUTATIONS; i++) {
        size_t size = i < good.size ? i : good.size;
        char *bytes = malloc(size ? size : 1);
        memcpy(bytes, good.data, size);
        if (i >= good.size) {
            for (uint32_t n = 1 + damage_random(&random) % 4; n > 0; n--) {
                char *at = bytes + damage_random(&random) % size;
                switch (damage_random(&random) % 4) {
                case 0: *at = (char)damage_random(&random); break;
                case 1: *at ^= (char)(1 << damage_random(&random) % 8); break;
                case 2: *at = (char)0xFF; break;
                default: *at = bytes[damage_random(&random) % size];
                }
            }
        }
        feed(slice_of(bytes, size), arg);
        free(bytes);
    }
}

#endif
