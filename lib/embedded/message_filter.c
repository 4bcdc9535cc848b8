/* Filters of messages: see message_filter.h. On the I/O thread; called for pulls and pops. */
#include "lib/embedded/message_filter.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/embedded/sql_filter.h"

enum { EXPRESSION_MAX_BYTES = 64 << 10 };

mqc_status message_filter_of(const struct subscription *subscription, struct message_filter *out,
                             mqc_error *error)
{
    *out = (struct message_filter){0};
    if (strcmp(subscription->expression_type, "SQL92") == 0)
        return sql_filter_parse(slice_text(subscription->expression), &out->sql, error);
    if (strcmp(subscription->expression_type, "TAG") != 0)
        return error_set(error, MQC_BAD_ARGUMENT, "expression type \"%.60s\" is unknown",
                         subscription->expression_type);
    /* "*" wins over any tags that may be named beside it (ExpressionMessageFilter). */
    if (subscription->tag_count == 0 || strcmp(subscription->expression, "*") == 0) return MQC_OK;
    out->codes = memory_copy(subscription->codes, subscription->tag_count * sizeof *out->codes);
    if (!out->codes) return error_no_memory(error);
    out->code_count = subscription->tag_count;
    return MQC_OK;
}

mqc_status message_filter_parse(struct slice topic, struct slice expression, struct slice type,
                                struct message_filter *out, mqc_error *error)
{
    *out = (struct message_filter){0};
    if (expression.size > EXPRESSION_MAX_BYTES)
        return error_set(error, MQC_BAD_ARGUMENT, "the filter expression is too long");
    if (type.size > 0 && slice_is(type, "SQL92"))
        return sql_filter_parse(expression, &out->sql, error);
    char *name = slice_duplicate(topic), *text = slice_duplicate(expression);
    struct subscription subscription;
    mqc_status status = MQC_OK;
    if (!name || (expression.data && !text)) status = error_no_memory(error);
    if (status == MQC_OK) status = subscription_make(name, text, 0, &subscription, error);
    if (status == MQC_OK) {
        status = message_filter_of(&subscription, out, error);
        subscription_done(&subscription);
    }
    memory_free(name);
    memory_free(text);
    return status;
}

void message_filter_done(struct message_filter *filter)
{
    memory_free(filter->codes);
    sql_filter_free(filter->sql);
    *filter = (struct message_filter){0};
}

bool message_filter_accepts(const struct message_filter *filter, const struct record *record)
{
    if (filter->sql) return sql_filter_accepts(filter->sql, record_properties(record));
    if (filter->code_count == 0) return true;
    for (size_t i = 0; i < filter->code_count; i++)
        if (filter->codes[i] == record->tag_code) return true;
    return false;
}
