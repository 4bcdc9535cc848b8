/* A run of bytes that belongs to somebody else. data == NULL means absent, size 0 means empty. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *data;
    size_t size;
};

static inline struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){data, size};
}

static inline struct slice slice_text(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

#define SLICE_LITERAL(text) ((struct slice){"" text, sizeof(text) - 1})
#define SLICE_ABSENT        ((struct slice){NULL, 0})
#define SLICE_FORMAT(slice) (int)(slice).size, (slice).data ? (slice).data : "" /* for "%.*s" */

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool slice_is(struct slice slice, const char *text)
{
    return slice_equal(slice, slice_text(text));
}

static inline bool slice_begins_with(struct slice slice, const char *prefix)
{
    size_t size = strlen(prefix);
    return slice.data && slice.size >= size && memcmp(slice.data, prefix, size) == 0;
}

struct slice slice_trim(struct slice slice); /* blanks and line ends at both sides */

/* Splits at the first `separator`: returns what is before it and leaves the rest in *slice, which
 * becomes absent after the last part. A loop `while (rest.data)` visits every part. */
struct slice slice_split(struct slice *slice, const char *separator);

/* Whole decimal numbers with an optional sign; false (and *out unchanged) for anything else. */
bool slice_to_int64(struct slice slice, int64_t *out);
bool slice_to_int32(struct slice slice, int32_t *out);
bool slice_to_bool(struct slice slice); /* as Java's parseBoolean: "true" in any case */

char *slice_duplicate(struct slice slice); /* zero-ended copy; NULL when absent or out of memory */
uint32_t slice_hash(struct slice slice);

#endif
