/* Checks of the names in options: groups, topics, namespaces; called by options.c. Pure. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/client/options.h"

/* A namespace becomes a part of names; one with the separator could not be told from the name. */
mqc_status options_check_namespace(const char *name_space, mqc_error *error)
{
    if (!name_space) return MQC_OK;
    if (strchr(name_space, '%'))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "namespace (name_space) is \"%.100s\": it must not contain %%, which "
                         "separates it from names",
                         name_space);
    return names_check_group(name_space, "namespace (name_space)", error);
}

/* Validators.checkGroup, and the two names that Java keeps for "not set". */
mqc_status options_check_group(const char *group, const char *name, mqc_error *error)
{
    if (!group)
        return error_set(error, MQC_BAD_ARGUMENT, "%s (group) is missing: give the group's name",
                         name);
    if (strcmp(group, "DEFAULT_PRODUCER") == 0 || strcmp(group, "DEFAULT_CONSUMER") == 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%s (group) is \"%s\", which is reserved: give a name of your own", name,
                         group);
    return names_check_group(group, name, error);
}

mqc_status options_check_topics(const char *topics, mqc_error *error)
{
    mqc_status status = MQC_OK;
    char topic[NAME_BYTES];
    for (struct slice rest = slice_text(topics); !status && options_next_topic(&rest, topic);)
        status = names_check_topic(topic, error);
    return status;
}

bool options_next_topic(struct slice *rest, char topic[NAME_BYTES])
{
    struct slice name = SLICE_ABSENT;
    while (rest->data && name.size == 0) name = slice_trim(slice_split(rest, ";"));
    /* One that is too long stays so. */
    size_t size = name.size < NAME_BYTES ? name.size : NAME_BYTES - 1;
    if (size > 0) memcpy(topic, name.data, size);
    topic[size] = '\0';
    return size > 0;
}
