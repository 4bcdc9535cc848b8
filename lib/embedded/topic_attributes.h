/* Attributes of topics: what administrators may set and how (AttributeUtil.java,
 * TopicAttributes.java). Pure. */
#ifndef EMBEDDED_TOPIC_ATTRIBUTES_H
#define EMBEDDED_TOPIC_ATTRIBUTES_H

#include "lib/base/slice.h"

/* NULL, or what is wrong with "+name=value,-name", as Java's exception says it. */
const char *topic_attributes_fault(struct slice changes, char *text, size_t text_bytes);

/* The JSON object that changes make of an old one; memory_free by the caller. NULL: no memory. */
char *topic_attributes_merge(const char *old, struct slice changes);

#endif
