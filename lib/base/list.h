/* An intrusive doubly linked ring: the list is a link whose neighbours are the first and the last.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next;
    struct link *previous;
};

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct link *list)
{
    list->next = list->previous = list;
}

static inline bool list_empty(const struct link *list)
{
    return list->next == list;
}

static inline void list_insert_before(struct link *place, struct link *item)
{
    item->next = place;
    item->previous = place->previous;
    place->previous->next = item;
    place->previous = item;
}

static inline void list_append(struct link *list, struct link *item)
{
    list_insert_before(list, item);
}

/* Takes an item out; taking it out again does nothing. */
static inline void list_remove(struct link *item)
{
    item->previous->next = item->next;
    item->next->previous = item->previous;
    list_init(item);
}

static inline struct link *list_take_first(struct link *list)
{
    struct link *first = list->next;
    if (first == list) return NULL;
    list_remove(first);
    return first;
}

/* Moves everything from `from` to the end of `to`. */
static inline void list_move_all(struct link *to, struct link *from)
{
    if (list_empty(from)) return;
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    list_init(from);
}

#define LIST_EACH(list, item)                                                                      \
    for (struct link *item = (list)->next; item != (list); item = item->next)
/* Survives the removal of the present item. */
#define LIST_EACH_SAFE(list, item)                                                                 \
    for (struct link *item = (list)->next, *item##_next = item->next; item != (list);              \
         item = item##_next, item##_next = item->next)

#endif
