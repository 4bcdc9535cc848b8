/* The options of options.def as data: finding one by name, and what texts mean as values. Pure;
 * used by option_bag.c (options by name) and options.c (checks and defaults of the option structs).
 */
#ifndef CLIENT_OPTION_TABLE_H
#define CLIENT_OPTION_TABLE_H

#include <mqclient/options.h>

enum option_role {
    OPTION_ROLE_CLIENT,
    OPTION_ROLE_PRODUCER,
    OPTION_ROLE_PUSH_CONSUMER,
    OPTION_ROLE_LITE_CONSUMER
};

/* The field's C type is behind each. */
enum option_type {
    OPTION_TYPE_TEXT,   /* const char * */
    OPTION_TYPE_NUMBER, /* int */
    OPTION_TYPE_YES_NO, /* bool */
    OPTION_TYPE_CHOICE, /* an enum: the index of the choice */
    OPTION_TYPE_TIME    /* int64_t, milliseconds since 1970 */
};

/* How "none" is written: see options.def. */
enum option_none { NOT_NONE, ZERO_IS_NONE, ZERO_IS_NONE_IN_JAVA, MINUS_ONE_IS_NONE };

struct option {
    enum option_role role;
    enum option_type type;
    const char *field; /* name of the struct's field */
    size_t offset;     /* of the field in the role's struct */
    int least, most, fallback;
    enum option_none none;
    mqc_option_description description;
};

/* One number an option, OPTION_namesrvAddr = 0 and so on. */
enum option_index {
#define OPTION_TEXT(role, name, ...)   OPTION_##name,
#define OPTION_YES_NO(role, name, ...) OPTION_##name,
#define OPTION_CHOICE(role, name, ...) OPTION_##name,
#define OPTION_TIME(role, name, ...)   OPTION_##name,
#define OPTION_NUMBER(role, name, ...) OPTION_##name,
#include "lib/client/options.def"
    OPTION_COUNT
};

extern const struct option OPTION_TABLE[OPTION_COUNT];

/* NULL when there is no such name (names are case-sensitive, as in Java). */
const struct option *option_find(const char *name);

/* The option that a wrong name was probably meant to be; NULL when none is near. */
const struct option *option_nearest(const char *name);

/* What a text means as the value of the option's field: 0 for the default and -1 for none where
 * those are possible. For texts only checks that there is one. */
mqc_status option_parse(const struct option *option, const char *text, int64_t *value,
                        mqc_error *error);

/* A line of the file that Java's clients are told of by -Dtls.config.file (TlsSystemConfig.java).
 */
mqc_status options_set_java_tls(mqc_options *options, const char *name, const char *value,
                                mqc_error *error);

/* How many values a choice has. */
int option_choices(const struct option *option);

#endif
