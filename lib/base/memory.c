/* The heap for the whole library; any thread. What tests need (failing the n-th allocation,
 * counting live blocks) stands behind one relaxed load and a branch that is never taken in
 * production. */
#include "lib/base/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WATCH_FAILURES = 1, WATCH_COUNT = 2, WATCH_ONE_FAILURE = 4 };

#ifdef MQC_DEBUG
static atomic_int watched = WATCH_COUNT;
#else
static atomic_int watched;
#endif
static atomic_long allocations_left; /* until failures begin; counts on below zero */
static atomic_long live_blocks, allocations;

static long fail(long nth, int how);

static bool is_watched(void)
{
    return __builtin_expect(atomic_load_explicit(&watched, memory_order_relaxed) != 0, 0);
}

static bool fails_now(void)
{
    int what = atomic_load_explicit(&watched, memory_order_relaxed);
    if (!(what & (WATCH_FAILURES | WATCH_ONE_FAILURE))) return false;
    long left = atomic_fetch_sub_explicit(&allocations_left, 1, memory_order_relaxed);
    return what & WATCH_FAILURES ? left <= 1 : left == 1;
}

static void count_blocks(long change)
{
    if (!(atomic_load_explicit(&watched, memory_order_relaxed) & WATCH_COUNT)) return;
    atomic_fetch_add_explicit(&live_blocks, change, memory_order_relaxed);
    if (change >= 0) atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
}

void *memory_allocate(size_t bytes)
{
    if (is_watched() && fails_now()) return NULL;
    void *block = malloc(bytes ? bytes : 1);
    if (is_watched() && block) count_blocks(1);
    return block;
}

void *memory_allocate_zero(size_t count, size_t bytes)
{
    if (is_watched() && fails_now()) return NULL;
    void *block = count && bytes ? calloc(count, bytes) : calloc(1, 1);
    if (is_watched() && block) count_blocks(1);
    return block;
}

void *memory_resize(void *block, size_t bytes)
{
    if (is_watched() && fails_now()) return NULL;
    void *resized = realloc(block, bytes ? bytes : 1);
    if (is_watched() && resized) count_blocks(block ? 0 : 1);
    return resized;
}

char *memory_duplicate(const char *text)
{
    return text ? memory_copy(text, strlen(text)) : NULL;
}

void *memory_copy(const void *source, size_t bytes)
{
    if (bytes == SIZE_MAX) return NULL;
    char *copy = memory_allocate(bytes + 1);
    if (!copy) return NULL;
    if (bytes > 0) memcpy(copy, source, bytes);
    copy[bytes] = '\0';
    return copy;
}

void memory_free(void *block)
{
    if (is_watched() && block) count_blocks(-1);
    free(block);
}

void memory_free_secret(char *text)
{
    if (!text) return;
    /* Volatile: the compiler may drop ordinary stores to memory that is freed next. */
    for (volatile char *p = text; *p; p++) *p = '\0';
    memory_free(text);
}

bool memory_reserve(void *items_pointer, size_t *capacity, size_t needed, size_t item_bytes)
{
    if (needed <= *capacity) return true;
    size_t grown = *capacity < 4 ? 8 : *capacity <= SIZE_MAX / 2 ? *capacity * 2 : needed;
    if (grown < needed) grown = needed;
    size_t bytes;
    if (__builtin_mul_overflow(grown, item_bytes, &bytes)) return false;
    void *items;
    memcpy(&items, items_pointer, sizeof items); /* the caller's pointer is of another type */
    items = memory_resize(items, bytes);
    if (!items) return false;
    memcpy(items_pointer, &items, sizeof items);
    *capacity = grown;
    return true;
}

void memory_fail_from(long nth)
{
    fail(nth, WATCH_FAILURES);
}

bool memory_fail_once(long nth)
{
    return fail(nth, WATCH_ONE_FAILURE) <= 0;
}

static long fail(long nth, int how)
{
    atomic_fetch_and(&watched, ~(WATCH_FAILURES | WATCH_ONE_FAILURE));
    long left = atomic_exchange_explicit(&allocations_left, nth, memory_order_relaxed);
    if (nth > 0) atomic_fetch_or(&watched, how);
    return left;
}

long memory_live_blocks(void)
{
    atomic_fetch_or(&watched, WATCH_COUNT);
    return atomic_load_explicit(&live_blocks, memory_order_relaxed);
}

long memory_allocations(void)
{
    atomic_fetch_or(&watched, WATCH_COUNT);
    return atomic_load_explicit(&allocations, memory_order_relaxed);
}
