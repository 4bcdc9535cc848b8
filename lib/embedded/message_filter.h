/* Which messages a consumer wants: everything, tags by their hash codes as brokers compare them, or
 * an SQL92 expression over the properties. */
#ifndef EMBEDDED_MESSAGE_FILTER_H
#define EMBEDDED_MESSAGE_FILTER_H

#include "lib/embedded/message_store.h"
#include "lib/protocol/subscription.h"

struct sql_filter;

struct message_filter {
    size_t code_count; /* 0: all tags */
    int32_t *codes;
    struct sql_filter *sql; /* NULL: by tags */
};

/* MQC_BAD_ARGUMENT says what is wrong with the expression. `type` absent or "TAG", or "SQL92". */
mqc_status message_filter_parse(struct slice topic, struct slice expression, struct slice type,
                                struct message_filter *out, mqc_error *error);
mqc_status message_filter_of(const struct subscription *subscription, struct message_filter *out,
                             mqc_error *error);
void message_filter_done(struct message_filter *filter);
bool message_filter_accepts(const struct message_filter *filter, const struct record *record);

#endif
