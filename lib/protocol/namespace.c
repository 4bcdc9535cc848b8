/* Putting names into a namespace and taking them out: see namespace.h. Called where requests leave
 * and messages arrive, on any thread. */
#include "lib/protocol/namespace.h"

#include "lib/protocol/message.h"

#define SEPARATOR           '%'
#define SYSTEM_GROUP_PREFIX "CID_RMQ_SYS_" /* MixAll.CID_RMQ_SYS_PREFIX */

/* How many bytes %RETRY% or %DLQ% takes in front. */
static size_t prefix_size(struct slice name)
{
    if (slice_begins_with(name, NAME_RETRY_PREFIX)) return sizeof NAME_RETRY_PREFIX - 1;
    if (slice_begins_with(name, NAME_DEAD_LETTER_PREFIX)) return sizeof NAME_DEAD_LETTER_PREFIX - 1;
    return 0;
}

/* How many bytes "ns%" takes behind that; 0: the name is not in the namespace. */
static size_t namespace_size(const char *name_space, struct slice name, size_t prefix)
{
    size_t size = strlen(name_space);
    const char *at = name.data + prefix;
    bool has =
        name.size > prefix + size + 1 && memcmp(at, name_space, size) == 0 && at[size] == SEPARATOR;
    return has ? size + 1 : 0;
}

/* The topic of replies is the cluster's: everybody's come through it. */
static bool is_system_name(struct slice name)
{
    size_t suffix = sizeof NAME_REPLY_SUFFIX - 1;
    return names_is_system_topic(name) || slice_begins_with(name, SYSTEM_GROUP_PREFIX) ||
           (name.size > suffix &&
            slice_is(slice_of(name.data + name.size - suffix, suffix), NAME_REPLY_SUFFIX));
}

struct slice namespace_wrap(const char *name_space, struct slice name, char room[NAME_BYTES])
{
    if (!name_space || name.size == 0 || is_system_name(name)) return name;
    size_t prefix = prefix_size(name), size = strlen(name_space);
    if (namespace_size(name_space, name, prefix) > 0) return name;
    if (name.size + size + 1 >= NAME_BYTES) return SLICE_ABSENT;
    memcpy(room, name.data, prefix);
    memcpy(room + prefix, name_space, size);
    room[prefix + size] = SEPARATOR;
    memcpy(room + prefix + size + 1, name.data + prefix, name.size - prefix);
    room[name.size + size + 1] = '\0';
    return slice_of(room, name.size + size + 1);
}

struct slice namespace_unwrap(const char *name_space, struct slice name, char room[NAME_BYTES])
{
    if (!name_space || name.size == 0) return name;
    size_t prefix = prefix_size(name), inside = namespace_size(name_space, name, prefix);
    if (inside == 0 || prefix == 0) return slice_of(name.data + inside, name.size - inside);
    if (name.size >= NAME_BYTES) return name;
    memcpy(room, name.data, prefix);
    memcpy(room + prefix, name.data + prefix + inside, name.size - prefix - inside);
    room[name.size - inside] = '\0';
    return slice_of(room, name.size - inside);
}

void namespace_unwrap_messages(const char *name_space, struct message_block *block)
{
    if (!name_space || !block) return;
    block->name_space = name_space;
    for (size_t i = 0; i < block->count; i++) {
        /* The block's own copy, perhaps of several messages: done once, it is not done again. */
        char *topic = (char *)(uintptr_t)block->messages[i].topic;
        struct slice name = slice_text(topic);
        size_t prefix = prefix_size(name), inside = namespace_size(name_space, name, prefix);
        memmove(topic + prefix, topic + prefix + inside, name.size - prefix - inside + 1);
    }
}
