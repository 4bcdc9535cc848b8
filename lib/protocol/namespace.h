/* Namespaces of names (NamespaceUtil.java): on the wire a topic or group of namespace ns is
 * "ns%name", a retry topic "%RETRY%ns%group", a dead letter topic "%DLQ%ns%group"; the broker's own
 * topics have none. Pure functions; NULL is no namespace. */
#ifndef PROTOCOL_NAMESPACE_H
#define PROTOCOL_NAMESPACE_H

#include "lib/protocol/names.h"

struct message_block;

/* The name as it is on the wire, in `room` or where it was. A name that has the namespace already
 * stays. Absent when it would not fit: no broker has such a name. */
struct slice namespace_wrap(const char *name_space, struct slice name, char room[NAME_BYTES]);

/* The name as applications have it. */
struct slice namespace_unwrap(const char *name_space, struct slice name, char room[NAME_BYTES]);

/* Shows the messages' topics, also those that message_restore_topic puts in their place, without
 * the namespace, which lives until then. Before the messages are shown to anybody. */
void namespace_unwrap_messages(const char *name_space, struct message_block *block);

#endif
