/* The only way to the heap, so that tests can make any allocation fail and count what is live. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* NULL when there is no memory; sizes of 0 are allowed and give a unique pointer. */
void *memory_allocate(size_t bytes);
void *memory_allocate_zero(size_t count, size_t bytes);
void *memory_resize(void *block, size_t bytes);
char *memory_duplicate(const char *text);            /* NULL stays NULL */
void *memory_copy(const void *source, size_t bytes); /* with a zero byte behind the copy */
void memory_free(void *block);
void memory_free_secret(char *text); /* wipes a zero-ended text first */

/* Makes room for `needed` items of `item_bytes` in a growing array; false when there is no memory.
 */
bool memory_reserve(void *items_pointer, size_t *capacity, size_t needed, size_t item_bytes);

/* For tests: fails the n-th allocation from now and all after it until called with 0. */
void memory_fail_from(long nth);
/* The n-th only, or none more with 0; true when the one that was to fail before has come. */
bool memory_fail_once(long nth);
/* Blocks in use, for tests that compare two calls: outside debug builds counting starts with the
 * first call, so that it costs nothing in production. */
long memory_live_blocks(void);
/* Likewise: allocations so far, those of growing blocks too. */
long memory_allocations(void);

#endif
