/* Names that are handed out in value structs (topics, broker names): one copy a name, kept until
 * the pool's end, so that a message queue is a value that can be copied and compared by pointer. */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include "lib/base/lock.h"
#include "lib/base/map.h"

struct intern {
    struct lock lock; /* guards the map */
    struct map names;
};

void intern_init(struct intern *intern);
void intern_done(struct intern *intern);
const char *intern_name(struct intern *intern, struct slice name); /* NULL: no memory */

#endif
