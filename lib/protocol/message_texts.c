/* What of a message is read as C strings. Any thread: the first that asks publishes its copy, the
 * others take that one. */
#include "lib/protocol/message_texts.h"

#include "lib/base/memory.h"
#include "lib/protocol/properties.h"

static struct message_texts *texts_new(const struct mqc_message *message);

const struct message_texts *message_texts_of(const struct mqc_message *message)
{
    /* Not seen by readers as a change of the message. */
    struct mqc_message *owner = (struct mqc_message *)(uintptr_t)message;
    struct message_texts *texts = atomic_load_explicit(&owner->texts, memory_order_acquire);
    if (texts) return texts;
    struct message_texts *made = texts_new(message);
    if (!made) return NULL;
    if (atomic_compare_exchange_strong_explicit(&owner->texts, &texts, made, memory_order_acq_rel,
                                                memory_order_acquire))
        return made;
    memory_free(made);
    return texts;
}

void message_texts_discard(struct mqc_message *message)
{
    if (!atomic_load_explicit(&message->texts, memory_order_relaxed)) return;
    memory_free(atomic_exchange_explicit(&message->texts, NULL, memory_order_acq_rel));
}

const char *message_texts_property(const struct message_texts *texts, const char *name)
{
    for (size_t i = texts ? texts->count : 0; i-- > 0;) {
        if (strcmp(texts->properties[i].name, name) == 0) return texts->properties[i].value;
    }
    return NULL;
}

static char *put_text(char **end, struct slice text)
{
    char *start = *end;
    memcpy(start, text.data, text.size);
    start[text.size] = '\0';
    *end = start + text.size + 1;
    return start;
}

static struct message_texts *texts_new(const struct mqc_message *message)
{
    struct slice name, value;
    size_t count = 0;
    for (struct slice rest = message->properties; properties_next(&rest, &name, &value);) count++;
    struct message_texts *texts;
    /* Each separator leaves room for a zero byte; the last pair may lack one. */
    texts = memory_allocate(sizeof *texts + count * sizeof *texts->properties +
                            message->properties.size + 1);
    if (!texts) return NULL;
    texts->count = count;
    texts->offset_id[0] = texts->born_host[0] = texts->stored_host[0] = '\0';
    if (!message->block->built) {
        offset_id_make(&message->store_host, message->commit_log_offset, texts->offset_id);
        host_format(&message->born_host, texts->born_host);
        host_format(&message->store_host, texts->stored_host);
    }
    char *end = (char *)&texts->properties[count];
    struct property_text *place = texts->properties;
    for (struct slice rest = message->properties; properties_next(&rest, &name, &value); place++) {
        place->name = put_text(&end, name);
        place->value = put_text(&end, value);
    }
    return texts;
}
