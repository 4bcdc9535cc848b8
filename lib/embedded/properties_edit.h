/* Changing the properties of a stored message: brokers add, replace and remove some of them. */
#ifndef EMBEDDED_PROPERTIES_EDIT_H
#define EMBEDDED_PROPERTIES_EDIT_H

#include "lib/protocol/properties.h"

struct property_change {
    const char *name;
    struct slice value; /* absent or empty: the property is removed */
};

/* Appends the properties with the changes made: what is not changed keeps its order, what is new
 * comes last. */
void properties_edit(struct buffer *out, struct slice properties,
                     const struct property_change *changes, size_t count);

#endif
