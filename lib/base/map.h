/* A hash map from byte strings to pointers. Keys are copied; values belong to the caller. Not
 * thread-safe: the owner's lock guards it. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "lib/base/slice.h"

struct map_entry {
    char *key; /* zero-ended copy; NULL: free place */
    uint32_t key_size;
    uint32_t hash;
    void *value;
};

struct map {
    struct map_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

void map_init(struct map *map);
void map_done(struct map *map); /* frees keys and table, not the values */

void *map_get(const struct map *map, struct slice key);

/* Sets the value for a key; *replaced (may be NULL) gets the old value or NULL. false: no memory.
 */
bool map_put(struct map *map, struct slice key, void *value, void **replaced);

void *map_remove(struct map *map, struct slice key); /* the value, or NULL */

/* Visits all entries in no order; start with *position = 0; false at the end. No changes meanwhile.
 */
bool map_next(const struct map *map, size_t *position, struct map_entry *out);

#endif
