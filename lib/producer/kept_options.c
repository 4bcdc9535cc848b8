/* Copying the texts of option structs, by the table in options.def. Called by constructors, on
 * their caller's thread. */
#include "lib/producer/kept_options.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"

/* Passwords and keys are among the texts. */
void kept_options_free(enum option_role role, void *options)
{
    char *none = NULL;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &OPTION_TABLE[i];
        if (option->role != role || option->type != OPTION_TYPE_TEXT) continue;
        char *text;
        char *field = (char *)options + option->offset;
        memcpy(&text, field, sizeof text);
        memory_free_secret(text);
        memcpy(field, &none, sizeof none);
    }
}

mqc_status kept_options_copy(enum option_role role, void *options, mqc_error *error)
{
    bool complete = true;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &OPTION_TABLE[i];
        if (option->role != role || option->type != OPTION_TYPE_TEXT) continue;
        const char *text;
        char *field = (char *)options + option->offset;
        memcpy(&text, field, sizeof text);
        char *copy = complete ? memory_duplicate(text) : NULL;
        complete = complete && (copy || !text);
        memcpy(field, &copy, sizeof copy);
    }
    if (complete) return MQC_OK;
    kept_options_free(role, options);
    return error_no_memory(error);
}
