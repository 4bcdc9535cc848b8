/* A hash map from 32-bit ids to pointers, made for the table of pending calls: ids are nearly
 * sequential, entries come and go fast, nothing is allocated in the steady state. */
#ifndef BASE_ID_MAP_H
#define BASE_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_map_entry {
    int32_t id;
    void *value; /* NULL: free place */
};

struct id_map {
    struct id_map_entry *entries;
    size_t capacity;
    size_t count;
};

void id_map_init(struct id_map *map);
void id_map_done(struct id_map *map);
void *id_map_get(const struct id_map *map, int32_t id);
bool id_map_put(struct id_map *map, int32_t id, void *value); /* false: no memory */
void *id_map_remove(struct id_map *map, int32_t id);
/* Visits all entries; start with *position = 0; false at the end. No changes meanwhile. */
bool id_map_next(const struct id_map *map, size_t *position, struct id_map_entry *out);

#endif
