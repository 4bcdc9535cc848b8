/* What a consumer wants of a topic (SubscriptionData.java, FilterAPI.java). */
#ifndef PROTOCOL_SUBSCRIPTION_H
#define PROTOCOL_SUBSCRIPTION_H

#include <jansson.h>
#include <mqclient/status.h>

#include "lib/base/buffer.h"

struct subscription {
    char *topic;
    char *expression;      /* "*" or "a || b" as the user wrote it, or SQL */
    char *expression_type; /* "TAG" or "SQL92" */
    size_t tag_count;      /* 0: all */
    char **tags;
    int32_t *codes;  /* java_hash of each tag */
    int64_t version; /* grows with every change */
};

/* From a tag expression; NULL, "" and "*" mean all. MQC_BAD_ARGUMENT for "||" and the like. */
mqc_status subscription_make(const char *topic, const char *filter, int64_t version,
                             struct subscription *out, mqc_error *error);
/* From an SQL92 expression, which brokers read; MQC_BAD_ARGUMENT when it is empty. */
mqc_status subscription_make_sql(const char *topic, const char *expression, int64_t version,
                                 struct subscription *out, mqc_error *error);
bool subscription_is_sql(const struct subscription *subscription);
void subscription_done(struct subscription *subscription);
mqc_status subscription_copy(const struct subscription *from, struct subscription *out,
                             mqc_error *error);

/* The client's own check of a message's tag: brokers compare hash codes only. */
bool subscription_accepts(const struct subscription *subscription, struct slice tag);

void subscription_encode(const struct subscription *subscription, struct buffer *out); /* JSON */
mqc_status subscription_decode(const json_t *json, struct subscription *out, mqc_error *error);

#endif
