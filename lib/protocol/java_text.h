/* Where the protocol depends on how Java sees text: hash codes and order over UTF-16 units. */
#ifndef PROTOCOL_JAVA_TEXT_H
#define PROTOCOL_JAVA_TEXT_H

#include "lib/base/slice.h"

/* String.hashCode of UTF-8 text; malformed bytes count as U+FFFD. */
int32_t java_hash(struct slice text);

/* String.compareTo: <0, 0, >0 by UTF-16 units. */
int java_compare(struct slice a, struct slice b);

#endif
