/* Open addressing with linear probing, at most half full, so that a lookup touches one cache line.
 * Removal shifts entries back instead of leaving tombstones. Guarded by its owner's lock. */
#include "lib/base/id_map.h"

#include "lib/base/bug.h"
#include "lib/base/memory.h"

enum { SMALLEST_CAPACITY = 16 };

/* Fibonacci hashing: neighbours spread over the whole table. The capacity is a power of two. */
static size_t home(size_t capacity, int32_t id)
{
    uint64_t product = (uint32_t)id * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(product >> 32) & (capacity - 1);
}

/* The id's entry, or the free place where it belongs. There is always a free place. */
static struct id_map_entry *find(struct id_map_entry *entries, size_t capacity, int32_t id)
{
    size_t i = home(capacity, id);
    while (entries[i].value && entries[i].id != id) i = (i + 1) & (capacity - 1);
    return &entries[i];
}

void id_map_init(struct id_map *map)
{
    *map = (struct id_map){0};
}

void id_map_done(struct id_map *map)
{
    memory_free(map->entries);
    id_map_init(map);
}

void *id_map_get(const struct id_map *map, int32_t id)
{
    if (map->count == 0) return NULL;
    return find(map->entries, map->capacity, id)->value;
}

static bool grow(struct id_map *map)
{
    size_t capacity = map->capacity ? map->capacity * 2 : SMALLEST_CAPACITY;
    struct id_map_entry *entries = memory_allocate_zero(capacity, sizeof *entries);
    if (!entries) return false;
    for (size_t i = 0; i < map->capacity; i++) {
        const struct id_map_entry *old = &map->entries[i];
        if (old->value) *find(entries, capacity, old->id) = *old;
    }
    memory_free(map->entries);
    map->entries = entries;
    map->capacity = capacity;
    return true;
}

bool id_map_put(struct id_map *map, int32_t id, void *value)
{
    BUG_IF(!value, "id %d is put without a value", id);
    struct id_map_entry *entry = map->capacity ? find(map->entries, map->capacity, id) : NULL;
    if (entry && entry->value) {
        entry->value = value;
        return true;
    }
    if (map->count >= map->capacity / 2) {
        if (!grow(map)) return false;
        entry = find(map->entries, map->capacity, id);
    }
    *entry = (struct id_map_entry){id, value};
    map->count++;
    return true;
}

/* Moves the entries behind a free place into it where that brings them nearer to their own place.
 */
static void close_gap(struct id_map *map, size_t gap)
{
    size_t mask = map->capacity - 1;
    for (size_t i = (gap + 1) & mask; map->entries[i].value; i = (i + 1) & mask) {
        size_t distance = (i - home(map->capacity, map->entries[i].id)) & mask;
        if (distance < ((i - gap) & mask)) continue;
        map->entries[gap] = map->entries[i];
        gap = i;
    }
    map->entries[gap] = (struct id_map_entry){0};
}

void *id_map_remove(struct id_map *map, int32_t id)
{
    if (map->count == 0) return NULL;
    struct id_map_entry *entry = find(map->entries, map->capacity, id);
    if (!entry->value) return NULL;
    void *value = entry->value;
    close_gap(map, (size_t)(entry - map->entries));
    map->count--;
    return value;
}

bool id_map_next(const struct id_map *map, size_t *position, struct id_map_entry *out)
{
    while (*position < map->capacity) {
        const struct id_map_entry *entry = &map->entries[(*position)++];
        if (!entry->value) continue;
        *out = *entry;
        return true;
    }
    return false;
}
