/* Subscriptions: from the user's tag expression, to and from JSON; pure functions. Called by the
 * consumers, the heartbeat and the embedded broker. */
#include "lib/protocol/subscription.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/java_text.h"
#include "lib/protocol/relaxed_json.h"

#define ALL "*"
#define SQL "SQL92"

static mqc_status begin(const char *topic, const char *expression, const char *type,
                        int64_t version, struct subscription *out, mqc_error *error);
static bool reserve_tags(struct subscription *subscription, size_t count);
static bool add_tag(struct subscription *subscription, struct slice tag);

mqc_status subscription_make(const char *topic, const char *filter, int64_t version,
                             struct subscription *out, mqc_error *error)
{
    *out = (struct subscription){0};
    if (!topic || !*topic)
        return error_set(error, MQC_BAD_ARGUMENT, "subscription: topic is empty");
    bool all = !filter || !*filter || strcmp(filter, ALL) == 0;
    mqc_status status = begin(topic, all ? ALL : filter, "TAG", version, out, error);
    if (status != MQC_OK || all) return status;
    size_t parts = 0;
    for (struct slice rest = slice_text(filter); rest.data; parts++) slice_split(&rest, "||");
    bool enough = reserve_tags(out, parts);
    for (struct slice rest = slice_text(filter); enough && rest.data;) {
        struct slice tag = slice_trim(slice_split(&rest, "||"));
        if (tag.size > 0) enough = add_tag(out, tag);
    }
    if (!enough)
        status = error_no_memory(error);
    else if (out->tag_count == 0)
        status =
            error_set(error, MQC_BAD_ARGUMENT,
                      "subscription to %.200s: filter '%.100s' names no tag: it should be like "
                      "\"a || b\", or \"*\" for all",
                      topic, filter);
    if (status != MQC_OK) subscription_done(out);
    return status;
}

mqc_status subscription_make_sql(const char *topic, const char *expression, int64_t version,
                                 struct subscription *out, mqc_error *error)
{
    *out = (struct subscription){0};
    if (!topic || !*topic)
        return error_set(error, MQC_BAD_ARGUMENT, "subscription: topic is empty");
    if (!expression || slice_trim(slice_text(expression)).size == 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "subscription to %.200s: the SQL92 expression is empty: it should be like "
                         "\"price > 10 AND region = 'north'\"",
                         topic);
    return begin(topic, expression, SQL, version, out, error);
}

bool subscription_is_sql(const struct subscription *subscription)
{
    return strcmp(subscription->expression_type, SQL) == 0;
}

void subscription_done(struct subscription *subscription)
{
    for (size_t i = 0; i < subscription->tag_count; i++) memory_free(subscription->tags[i]);
    memory_free(subscription->tags);
    memory_free(subscription->codes);
    memory_free(subscription->topic);
    memory_free(subscription->expression);
    memory_free(subscription->expression_type);
    *subscription = (struct subscription){0};
}

mqc_status subscription_copy(const struct subscription *from, struct subscription *out,
                             mqc_error *error)
{
    mqc_status status =
        begin(from->topic, from->expression, from->expression_type, from->version, out, error);
    if (status != MQC_OK) return status;
    bool enough = reserve_tags(out, from->tag_count);
    for (size_t i = 0; enough && i < from->tag_count; i++)
        enough = add_tag(out, slice_text(from->tags[i]));
    if (enough) return MQC_OK;
    subscription_done(out);
    return error_no_memory(error);
}

/* Everything but the tags. */
static mqc_status begin(const char *topic, const char *expression, const char *type,
                        int64_t version, struct subscription *out, mqc_error *error)
{
    *out = (struct subscription){
        .topic = memory_duplicate(topic),
        .expression = memory_duplicate(expression),
        .expression_type = memory_duplicate(type),
        .version = version,
    };
    if (out->topic && out->expression && out->expression_type) return MQC_OK;
    subscription_done(out);
    return error_no_memory(error);
}

static bool reserve_tags(struct subscription *subscription, size_t count)
{
    if (count == 0) return true;
    subscription->tags = memory_allocate_zero(count, sizeof *subscription->tags);
    subscription->codes = memory_allocate_zero(count, sizeof *subscription->codes);
    return subscription->tags && subscription->codes;
}

/* A set, as in Java: a tag that is there already is passed over. False: no memory. */
static bool add_tag(struct subscription *subscription, struct slice tag)
{
    for (size_t i = 0; i < subscription->tag_count; i++) {
        if (slice_is(tag, subscription->tags[i])) return true;
    }
    char *copy = slice_duplicate(tag);
    if (!copy) return false;
    subscription->tags[subscription->tag_count] = copy;
    subscription->codes[subscription->tag_count++] = java_hash(tag);
    return true;
}

bool subscription_accepts(const struct subscription *subscription, struct slice tag)
{
    if (subscription->tag_count == 0) return true;
    for (size_t i = 0; i < subscription->tag_count; i++) {
        if (slice_is(tag, subscription->tags[i])) return true;
    }
    return false;
}

void subscription_encode(const struct subscription *subscription, struct buffer *out)
{
    buffer_put_text(out, "{\"classFilterMode\":false,\"codeSet\":[");
    for (size_t i = 0; i < subscription->tag_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        buffer_put_decimal(out, subscription->codes[i]);
    }
    buffer_put_text(out, "],\"expressionType\":");
    json_put_text(out, slice_text(subscription->expression_type));
    buffer_put_text(out, ",\"subString\":");
    json_put_text(out, slice_text(subscription->expression));
    buffer_put_text(out, ",\"subVersion\":");
    buffer_put_decimal(out, subscription->version);
    buffer_put_text(out, ",\"tagsSet\":[");
    for (size_t i = 0; i < subscription->tag_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        json_put_text(out, slice_text(subscription->tags[i]));
    }
    buffer_put_text(out, "],\"topic\":");
    json_put_text(out, slice_text(subscription->topic));
    buffer_put_8(out, '}');
}

mqc_status subscription_decode(const json_t *json, struct subscription *out, mqc_error *error)
{
    *out = (struct subscription){0};
    const char *topic = relaxed_json_text(json, "topic", NULL);
    if (!topic) return error_set(error, MQC_BAD_FRAME, "subscription without a topic");
    mqc_status status = begin(topic, relaxed_json_text(json, "subString", ALL),
                              relaxed_json_text(json, "expressionType", "TAG"),
                              relaxed_json_number(json, "subVersion", 0), out, error);
    if (status != MQC_OK) return status;
    const json_t *tags = json_object_get(json, "tagsSet");
    bool enough = reserve_tags(out, json_array_size(tags));
    for (size_t i = 0; enough && i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        struct slice text = slice_of(json_string_value(tag), json_string_length(tag));
        if (text.size > 0) enough = add_tag(out, text);
    }
    if (enough) return MQC_OK;
    subscription_done(out);
    return error_no_memory(error);
}
