/* What the library needs to know of its process: its id, whether it was forked, random numbers. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Counts forks in the calling process's line since the library was first used: an object remembers
 * the number it was made under and is unusable when it differs (we are then in a child). */
unsigned process_fork_generation(void);

uint64_t random_u64(void);             /* seeded by the kernel, not for secrets; any thread */
uint32_t random_below(uint32_t bound); /* 0 .. bound-1; 0 for bound 0 */

#endif
