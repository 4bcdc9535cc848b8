/* Open addressing with linear probing, at most three quarters full. Removal shifts the entries
 * behind it back, so that there are no tombstones and lookups stay short. Guarded by its owner's
 * lock. */
#include "lib/base/map.h"

#include "lib/base/memory.h"

enum { SMALLEST_CAPACITY = 8 };

/* The key's entry, or the free place where it belongs. There is always a free place. */
static struct map_entry *find(struct map_entry *entries, size_t capacity, struct slice key,
                              uint32_t hash)
{
    size_t mask = capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct map_entry *entry = &entries[i];
        if (!entry->key) return entry;
        if (entry->hash == hash && slice_equal(slice_of(entry->key, entry->key_size), key))
            return entry;
    }
}

void map_init(struct map *map)
{
    *map = (struct map){0};
}

void map_done(struct map *map)
{
    for (size_t i = 0; i < map->capacity; i++) memory_free(map->entries[i].key);
    memory_free(map->entries);
    map_init(map);
}

void *map_get(const struct map *map, struct slice key)
{
    if (map->count == 0) return NULL;
    return find(map->entries, map->capacity, key, slice_hash(key))->value;
}

/* Doubles the table; the map is unchanged when there is no memory. */
static bool grow(struct map *map)
{
    size_t capacity = map->capacity ? map->capacity * 2 : SMALLEST_CAPACITY;
    struct map_entry *entries = memory_allocate_zero(capacity, sizeof *entries);
    if (!entries) return false;
    for (size_t i = 0; i < map->capacity; i++) {
        const struct map_entry *old = &map->entries[i];
        if (!old->key) continue;
        size_t place = old->hash & (capacity - 1);
        while (entries[place].key) place = (place + 1) & (capacity - 1);
        entries[place] = *old;
    }
    memory_free(map->entries);
    map->entries = entries;
    map->capacity = capacity;
    return true;
}

bool map_put(struct map *map, struct slice key, void *value, void **replaced)
{
    if (replaced) *replaced = NULL;
    if (key.size > UINT32_MAX) return false;
    uint32_t hash = slice_hash(key);
    struct map_entry *entry = map->capacity ? find(map->entries, map->capacity, key, hash) : NULL;
    if (entry && entry->key) {
        if (replaced) *replaced = entry->value;
        entry->value = value;
        return true;
    }
    if (map->count >= map->capacity / 4 * 3) {
        if (!grow(map)) return false;
        entry = find(map->entries, map->capacity, key, hash);
    }
    char *copy = memory_copy(key.data, key.size);
    if (!copy) return false;
    *entry = (struct map_entry){copy, (uint32_t)key.size, hash, value};
    map->count++;
    return true;
}

/* Moves the entries behind a free place into it where that brings them nearer to their own place.
 */
static void close_gap(struct map *map, size_t gap)
{
    size_t mask = map->capacity - 1;
    for (size_t i = (gap + 1) & mask; map->entries[i].key; i = (i + 1) & mask) {
        size_t distance = (i - map->entries[i].hash) & mask; /* from its own place */
        if (distance < ((i - gap) & mask)) continue;
        map->entries[gap] = map->entries[i];
        gap = i;
    }
    map->entries[gap] = (struct map_entry){0};
}

void *map_remove(struct map *map, struct slice key)
{
    if (map->count == 0) return NULL;
    struct map_entry *entry = find(map->entries, map->capacity, key, slice_hash(key));
    if (!entry->key) return NULL;
    void *value = entry->value;
    memory_free(entry->key);
    close_gap(map, (size_t)(entry - map->entries));
    map->count--;
    return value;
}

bool map_next(const struct map *map, size_t *position, struct map_entry *out)
{
    while (*position < map->capacity) {
        const struct map_entry *entry = &map->entries[(*position)++];
        if (!entry->key) continue;
        *out = *entry;
        return true;
    }
    return false;
}
