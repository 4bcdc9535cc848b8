/* Messages made of what the command line says. */
#include "tools/outgoing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/output.h"

int outgoing_check(const char *command, const struct outgoing *outgoing)
{
    if (!outgoing->topic) return usage_error(command, "the topic is missing: give -t TOPIC");
    for (int i = 0; i < outgoing->properties.count; i++)
        if (!strchr(outgoing->properties.items[i], '='))
            return usage_error(command, "-p \"%s\": write NAME=VALUE",
                               outgoing->properties.items[i]);
    return -1;
}

static mqc_status no_memory(mqc_error *error)
{
    *error = (mqc_error){.status = MQC_NO_MEMORY, .text = "out of memory"};
    return MQC_NO_MEMORY;
}

static mqc_status set_property(mqc_message *message, const char *setting, mqc_error *error)
{
    const char *equals = strchr(setting, '=');
    char *name = strndup(setting, (size_t)(equals - setting));
    if (!name) return no_memory(error);
    mqc_status status = mqc_message_set_property(message, name, equals + 1, error);
    free(name);
    return status;
}

mqc_message *outgoing_message(const struct outgoing *outgoing, const char *body, size_t size,
                              mqc_error *error)
{
    mqc_message *message = mqc_message_new(outgoing->topic, body, size);
    mqc_status status = message ? MQC_OK : no_memory(error);
    if (!status && outgoing->keys) status = mqc_message_set_keys(message, outgoing->keys, error);
    if (!status && outgoing->tag) status = mqc_message_set_tag(message, outgoing->tag, error);
    for (int i = 0; i < outgoing->properties.count && !status; i++)
        status = set_property(message, outgoing->properties.items[i], error);
    if (!status) return message;
    mqc_message_free(message);
    return NULL;
}
