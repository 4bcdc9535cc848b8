/* See lite.h. */
#include "test/contract/lite.h"

#include <stdio.h>
#include <stdlib.h>

mqc_lite_consumer *lite_new(const mqc_lite_consumer_options *options)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_lite_consumer_options complete = {.from = MQC_FROM_FIRST, .pull_batch = 1};
    if (options) complete = *options;
    if (!complete.client) complete.client = &client;
    if (!complete.group) complete.group = contract_name("group");
    mqc_lite_consumer *consumer = mqc_lite_consumer_new(&complete, &error);
    ck_assert_msg(consumer != NULL, "mqc_lite_consumer_new: %s", error.text);
    return consumer;
}

mqc_lite_consumer *lite_subscribed(const mqc_lite_consumer_options *options, const char *topic)
{
    mqc_error error;
    mqc_lite_consumer *consumer = lite_new(options);
    ck_ok(mqc_lite_consumer_subscribe(consumer, topic, "*", &error));
    ck_ok(mqc_lite_consumer_start(consumer, &error));
    return consumer;
}

mqc_lite_consumer *lite_assigned(const mqc_lite_consumer_options *options,
                                 const mqc_message_queue *queues, size_t count)
{
    mqc_error error;
    mqc_lite_consumer *consumer = lite_new(options);
    ck_ok(mqc_lite_consumer_start(consumer, &error));
    ck_ok(mqc_lite_consumer_assign(consumer, queues, count, NULL, &error));
    return consumer;
}

static mqc_delivery *poll_one(mqc_lite_consumer *consumer)
{
    mqc_error error;
    mqc_delivery *delivery;
    ck_ok(mqc_lite_consumer_poll(consumer, CONTRACT_WAIT_MS, &delivery, &error));
    ck_assert_msg(delivery != NULL, "polled in vain for %d ms", CONTRACT_WAIT_MS);
    return delivery;
}

void lite_expect(mqc_lite_consumer *consumer, const char *body)
{
    mqc_delivery *delivery = poll_one(consumer);
    ck_assert_uint_eq(mqc_delivery_count(delivery), 1);
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    mqc_view view = mqc_message_body(message);
    ck_assert_msg(contract_text_is(message, body), "'%.*s' came, not '%s'", (int)view.size,
                  (const char *)view.data, body);
    mqc_delivery_free(delivery);
}

void lite_expect_each(mqc_lite_consumer *consumer, const char *prefix, int count)
{
    bool *seen = calloc((size_t)count, sizeof *seen);
    for (int left = count; left > 0;) {
        mqc_delivery *delivery = poll_one(consumer);
        for (size_t i = 0; i < mqc_delivery_count(delivery); i++, left--) {
            mqc_view view = mqc_message_body(mqc_delivery_at(delivery, i));
            char body[128];
            ck_assert_uint_lt(view.size, sizeof body);
            memcpy(body, view.data, view.size);
            body[view.size] = '\0';
            ck_assert_msg(strncmp(body, prefix, strlen(prefix)) == 0, "'%s' came", body);
            int number = atoi(body + strlen(prefix));
            ck_assert(number >= 0 && number < count && !seen[number]);
            seen[number] = true;
        }
        mqc_delivery_free(delivery);
    }
    free(seen);
}

void lite_expect_nothing_yet(mqc_lite_consumer *consumer)
{
    mqc_error error;
    mqc_delivery *delivery;
    ck_ok(mqc_lite_consumer_poll(consumer, 0, &delivery, &error));
    ck_assert_ptr_null(delivery);
}
