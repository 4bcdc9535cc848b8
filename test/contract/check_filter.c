/* Filters at the broker: tags and SQL92 expressions, changed while the consumer runs, and what it
 * says of filters that a broker will not have. */
#include <stdio.h>

#include "test/contract/collector.h"

static struct collector *collector;
static mqc_producer *producer;
static const char *topic;

static void begin(void)
{
    collector = collector_new();
    producer = contract_producer(NULL);
    topic = contract_topic(1);
}

static mqc_push_consumer *new_consumer(void)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_push_consumer_options options = {.client = &client,
                                         .group = contract_name("group"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_msg(consumer != NULL, "%s", error.text);
    return consumer;
}

static void end(mqc_push_consumer *consumer)
{
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_free(collector);
}

static void send_priced(const char *body, const char *price, const char *region, const char *tag)
{
    mqc_error error;
    mqc_send_result result;
    mqc_message *message = mqc_message_new(topic, body, strlen(body));
    if (price) ck_ok(mqc_message_set_property(message, "price", price, &error));
    if (region) ck_ok(mqc_message_set_property(message, "region", region, &error));
    if (tag) ck_ok(mqc_message_set_tag(message, tag, &error));
    ck_ok(mqc_producer_send(producer, message, NULL, &result, &error));
    mqc_message_free(message);
}

START_TEST(test_sql_selects)
{
    mqc_error error;
    begin();
    mqc_push_consumer *consumer = new_consumer();
    ck_ok(mqc_push_consumer_subscribe_sql(
        consumer, topic, "price > 10 AND region IN ('north', 'south') OR TAGS = 'always'", &error));
    ck_ok(mqc_push_consumer_start(consumer, &error));
    send_priced("cheap", "5", "north", NULL);
    send_priced("dear", "11", "north", NULL);
    send_priced("dear elsewhere", "11", "west", NULL);
    send_priced("no price", NULL, "south", NULL);
    send_priced("tagged", "1", "west", "always");
    send_priced("dear in the south", "12", "south", "never");
    collector_await(collector, 3);
    send_priced("last", "99", "south", NULL);
    collector_await_body(collector, "last");
    ck_assert_uint_eq(collector_count(collector), 4);
    ck_assert_uint_eq(collector_count_body(collector, "dear"), 1);
    ck_assert_uint_eq(collector_count_body(collector, "tagged"), 1);
    ck_assert_uint_eq(collector_count_body(collector, "dear in the south"), 1);
    end(consumer);
}
END_TEST

/* Whether what was sent with this tag comes: a broker learns of a change in a moment. */
struct trial {
    const char *tag;
    const char *price;
    int round;
};

static bool comes(void *arg)
{
    struct trial *trial = arg;
    char body[64];
    snprintf(body, sizeof body, "%s %d", trial->tag, trial->round++);
    send_priced(body, trial->price, NULL, trial->tag);
    for (size_t i = 0; i < collector_count(collector); i++) {
        mqc_view view = mqc_message_body(collector_at(collector, i).message);
        if (strncmp(view.data, trial->tag, strlen(trial->tag)) == 0) return true;
    }
    return false;
}

static bool any_of(const struct received *received, size_t count, void *arg)
{
    for (size_t i = 0; i < count; i++) {
        if (contract_text_is(received[i].message, arg)) return true;
    }
    return false;
}

/* What has the other tag does not come any more when something with this tag, sent after it, has.
 */
static void check_only(const char *tag, const char *other, const char *price)
{
    char body[64], last[64];
    struct trial trial = {.tag = tag, .price = price};
    contract_await("the new filter has taken effect", comes, &trial);
    snprintf(body, sizeof body, "not %s", other);
    snprintf(last, sizeof last, "%s at last", tag);
    send_priced(body, NULL, NULL, other);
    send_priced(last, price, NULL, tag);
    collector_await_until(collector, "the last message", any_of, last);
    ck_assert_uint_eq(collector_count_body(collector, body), 0);
}

START_TEST(test_tags_changed_while_running)
{
    mqc_error error;
    begin();
    mqc_push_consumer *consumer = new_consumer();
    ck_ok(mqc_push_consumer_subscribe(consumer, topic, "red", &error));
    ck_ok(mqc_push_consumer_start(consumer, &error));
    check_only("red", "green", NULL);
    ck_ok(mqc_push_consumer_subscribe(consumer, topic, "green || blue", &error));
    check_only("green", "red", NULL);
    ck_ok(mqc_push_consumer_subscribe(consumer, topic, "*", &error));
    contract_await("nothing is filtered any more", comes, &(struct trial){.tag = "yellow"});
    end(consumer);
}
END_TEST

START_TEST(test_sql_and_tags_take_turns)
{
    mqc_error error;
    begin();
    mqc_push_consumer *consumer = new_consumer();
    ck_ok(mqc_push_consumer_subscribe(consumer, topic, "red", &error));
    ck_ok(mqc_push_consumer_start(consumer, &error));
    check_only("red", "green", NULL);
    ck_ok(mqc_push_consumer_subscribe_sql(consumer, topic, "price BETWEEN 1 AND 3", &error));
    check_only("priced", "red", "2");
    ck_ok(mqc_push_consumer_subscribe_sql(consumer, topic, "price IS NULL AND TAGS = 'blue'",
                                          &error));
    check_only("blue", "priced", NULL);
    ck_ok(mqc_push_consumer_subscribe(consumer, topic, "green", &error));
    check_only("green", "blue", NULL);
    end(consumer);
}
END_TEST

START_TEST(test_sql_that_brokers_cannot_read)
{
    mqc_error error;
    begin();
    mqc_push_consumer *consumer = new_consumer();
    ck_ok(mqc_push_consumer_subscribe_sql(consumer, topic, "price >", &error));
    ck_fails(mqc_push_consumer_start(consumer, &error), MQC_REFUSED, topic, "price >",
             "CHECK_CLIENT_CONFIG refused: SUBSCRIPTION_PARSE_FAILED (23)", "should be like");
    ck_assert_int_eq(error.broker_code, 23);
    /* It can be mended, and started then. */
    ck_ok(mqc_push_consumer_subscribe_sql(consumer, topic, "price > 3", &error));
    ck_ok(mqc_push_consumer_start(consumer, &error));
    send_priced("first", "4", NULL, NULL);
    collector_await_body(collector, "first");
    /* While it runs, a filter that will not do leaves the old one in force. */
    ck_fails(mqc_push_consumer_subscribe_sql(consumer, topic, "price > AND", &error), MQC_REFUSED,
             "price > AND");
    send_priced("cheap", "2", NULL, NULL);
    send_priced("second", "5", NULL, NULL);
    collector_await_body(collector, "second");
    ck_assert_uint_eq(collector_count(collector), 2);
    end(consumer);
}
END_TEST

START_TEST(test_bad_sql_subscriptions)
{
    mqc_error error;
    begin();
    mqc_push_consumer *consumer = new_consumer();
    ck_fails(mqc_push_consumer_subscribe_sql(consumer, topic, "", &error), MQC_BAD_ARGUMENT,
             "the SQL92 expression is empty", "price > 10");
    ck_fails(mqc_push_consumer_subscribe_sql(consumer, topic, NULL, &error), MQC_BAD_ARGUMENT,
             "the SQL92 expression is empty");
    ck_fails(mqc_push_consumer_subscribe_sql(consumer, NULL, "a > 1", &error), MQC_BAD_ARGUMENT,
             "topic");
    ck_fails(mqc_push_consumer_subscribe_sql(NULL, topic, "a > 1", &error), MQC_BAD_ARGUMENT,
             "NULL");
    end(consumer);
}
END_TEST

/* See also check_filter_off.c. */
START_TEST(test_broker_that_cannot_be_asked)
{
    mqc_error error;
    mqc_embedded *cluster = contract_embedded();
    if (!cluster) return; /* one that can always be asked */
    begin();
    mqc_push_consumer *consumer = new_consumer();
    ck_ok(mqc_push_consumer_subscribe_sql(consumer, topic, "price > 3", &error));
    ck_ok(mqc_embedded_add_fault(
        cluster, &(mqc_embedded_fault){.kind = MQC_FAULT_CLOSE, .request_code = 46}, NULL, &error));
    ck_ok(mqc_push_consumer_start(consumer, &error));
    send_priced("dear", "4", NULL, NULL);
    collector_await_body(collector, "dear");
    end(consumer);
}
END_TEST

CONTRACT_MAIN("filter", test_sql_selects, test_tags_changed_while_running,
              test_sql_and_tags_take_turns, test_sql_that_brokers_cannot_read,
              test_bad_sql_subscriptions, test_broker_that_cannot_be_asked)
