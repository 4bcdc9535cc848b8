/* The pool of names; any thread. Map from the name to its one copy, which lives until the end. */
#include "lib/base/intern.h"

#include "lib/base/memory.h"

void intern_init(struct intern *intern)
{
    lock_init(&intern->lock, LOCK_RANK_INTERN);
    map_init(&intern->names);
}

void intern_done(struct intern *intern)
{
    struct map_entry entry;
    for (size_t position = 0; map_next(&intern->names, &position, &entry);)
        memory_free(entry.value);
    map_done(&intern->names);
    lock_done(&intern->lock);
}

const char *intern_name(struct intern *intern, struct slice name)
{
    lock_take(&intern->lock);
    char *copy = map_get(&intern->names, name);
    if (!copy) {
        /* The map moves its entries but not what they point to: values stay where they are. */
        copy = memory_copy(name.data, name.size);
        if (copy && !map_put(&intern->names, name, copy, NULL)) {
            memory_free(copy);
            copy = NULL;
        }
    }
    lock_release(&intern->lock);
    return copy;
}
