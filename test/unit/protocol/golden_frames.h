/* Shared by the tests of the protocol layer: the names of all golden frames (each a whole frame
 * from a real broker or Java client), frames made by hand, and pseudo-random numbers with a fixed
 * seed. */
#ifndef TEST_UNIT_PROTOCOL_GOLDEN_FRAMES_H
#define TEST_UNIT_PROTOCOL_GOLDEN_FRAMES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/unit/unit.h"

/* For loops of a million rounds: only failures are told to Check, which is slow to listen. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) ck_abort_msg("not so: %s", #condition);                                  \
    } while (0)

#define assert_text(value, expected)                                                               \
    do {                                                                                           \
        struct slice value_ = (value);                                                             \
        ck_assert_msg(slice_is(value_, (expected)), "'%.*s' is not '%s'", SLICE_FORMAT(value_),    \
                      (expected));                                                                 \
    } while (0)

enum { GOLDEN_MAX = 512, GOLDEN_NAME_BYTES = 128 };

struct golden_names {
    size_t count;
    char names[GOLDEN_MAX][GOLDEN_NAME_BYTES];
};

static inline int golden_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* In the order of their names, so that a fixed seed means the same inputs everywhere. */
static inline const struct golden_names *golden_names(void)
{
    static struct golden_names golden;
    const char *source = getenv("MQC_SOURCE");
    char path[512];
    snprintf(path, sizeof path, "%s/test/unit/golden", source ? source : ".");
    DIR *folder = opendir(path);
    ck_assert_msg(folder != NULL, "no folder %s", path);
    golden.count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length <= 4 || strcmp(entry->d_name + length - 4, ".hex") != 0) continue;
        ck_assert_uint_lt(golden.count, GOLDEN_MAX);
        ck_assert_uint_lt(length, GOLDEN_NAME_BYTES);
        memcpy(golden.names[golden.count], entry->d_name, length - 4);
        golden.names[golden.count++][length - 4] = '\0';
    }
    closedir(folder);
    ck_assert_uint_gt(golden.count, 50);
    qsort(golden.names, golden.count, GOLDEN_NAME_BYTES, golden_compare);
    return &golden;
}

/* What lives until the process ends stays reachable, or LeakSanitizer calls it a leak. */
static inline void *remember(void *block)
{
    static struct remembered {
        struct remembered *next;
        void *block;
    } * all;
    struct remembered *entry = malloc(sizeof *entry);
    *entry = (struct remembered){all, block};
    all = entry;
    return block;
}

static inline struct slice hex(const char *text)
{
    struct slice bytes = hex_bytes(text);
    remember((void *)(uintptr_t)bytes.data);
    return bytes;
}

static inline struct slice golden(const char *name)
{
    struct slice bytes = golden_bytes(name);
    remember((void *)(uintptr_t)bytes.data);
    return bytes;
}

static inline uint32_t golden_u32(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline void put_u32(char *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++) bytes[i] = (char)(value >> (24 - 8 * i));
}

/* A frame around a header and a body. */
static inline struct slice frame_around(int serialization, struct slice header, struct slice body)
{
    size_t size = 8 + header.size + body.size;
    char *frame = remember(malloc(size));
    put_u32(frame, (uint32_t)size - 4);
    put_u32(frame + 4, (uint32_t)serialization << 24 | (uint32_t)header.size);
    if (header.size > 0) memcpy(frame + 8, header.data, header.size);
    if (body.size > 0) memcpy(frame + 8 + header.size, body.data, body.size);
    return slice_of(frame, size);
}

/* A copy in a block of exactly its size, so that sanitizers see a read past the end. */
static inline char *exact_block(struct slice bytes)
{
    char *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    if (bytes.size > 0) memcpy(copy, bytes.data, bytes.size);
    return copy;
}

static inline struct slice exact_copy(struct slice bytes)
{
    return slice_of(remember(exact_block(bytes)), bytes.size);
}

static inline uint32_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static inline size_t random_below(uint64_t *state, size_t limit)
{
    return random_next(state) % limit;
}

#endif
