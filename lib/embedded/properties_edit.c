/* Pure; see properties_edit.h. */
#include "lib/embedded/properties_edit.h"

void properties_edit(struct buffer *out, struct slice properties,
                     const struct property_change *changes, size_t count)
{
    struct slice name, value;
    while (properties_next(&properties, &name, &value)) {
        size_t i = 0;
        while (i < count && !slice_is(name, changes[i].name)) i++;
        if (i == count) properties_put(out, name, value);
    }
    for (size_t i = 0; i < count; i++)
        if (changes[i].value.size > 0)
            properties_put(out, slice_text(changes[i].name), changes[i].value);
}
