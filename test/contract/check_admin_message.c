/* Stored messages: found, followed, given again. */
#include <stdio.h>

#include "test/contract/admins.h"

static mqc_send_result send_with_keys(mqc_producer *producer, const char *topic, const char *keys,
                                      const char *tag, const char *body)
{
    mqc_error error;
    mqc_send_result result;
    mqc_message *message = mqc_message_new(topic, body, strlen(body));
    ck_ok(mqc_message_set_keys(message, keys, &error));
    ck_ok(mqc_message_set_tag(message, tag, &error));
    ck_ok(mqc_message_set_property(message, "colour", "blue", &error));
    ck_ok(mqc_producer_send(producer, message, NULL, &result, &error));
    mqc_message_free(message);
    return result;
}

struct lookup {
    mqc_admin *admin;
    const char *topic, *id;
    mqc_message *found;
};

/* Brokers index messages a moment after they have stored them. */
static bool is_found(void *arg)
{
    struct lookup *lookup = arg;
    mqc_error error;
    mqc_status status =
        mqc_admin_message_by_id(lookup->admin, lookup->topic, lookup->id, &lookup->found, &error);
    if (status != MQC_NOT_FOUND) ck_assert_msg(status == MQC_OK, "%s", error.text);
    return status == MQC_OK;
}

static mqc_message *find(mqc_admin *admin, const char *topic, const char *id)
{
    struct lookup lookup = {.admin = admin, .topic = topic, .id = id};
    contract_await("the message to be found", is_found, &lookup);
    return lookup.found;
}

START_TEST(test_found_by_both_ids)
{
    mqc_error error;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(1);
    mqc_send_result sent = send_with_keys(producer, topic, "k1 k2", "red", "the body");
    mqc_message *message = find(admin, topic, sent.message_id);
    ck_assert(contract_text_is(message, "the body"));
    ck_assert_str_eq(mqc_message_topic(message), topic);
    ck_assert_str_eq(mqc_message_id(message), sent.message_id);
    ck_assert_str_eq(mqc_message_offset_id(message), sent.offset_message_id);
    ck_assert_str_eq(mqc_message_broker_name(message), "broker-a");
    ck_assert_int_eq(mqc_message_queue_offset(message), sent.queue_offset);
    ck_assert_str_eq(mqc_message_keys(message), "k1 k2");
    ck_assert_str_eq(mqc_message_property(message, "colour"), "blue");
    mqc_message_free(message);
    ck_ok(mqc_admin_message_by_id(admin, NULL, sent.offset_message_id, &message, &error));
    ck_assert_str_eq(mqc_message_id(message), sent.message_id);
    mqc_message_free(message);
    ck_fails(
        mqc_admin_message_by_id(admin, topic, "7F000001000000000000000000000001", &message, &error),
        MQC_NOT_FOUND, topic);
    ck_assert_ptr_null(message);
    ck_fails(mqc_admin_message_by_id(admin, NULL, sent.message_id, &message, &error), MQC_NOT_FOUND,
             "needs its topic");
    ck_fails(mqc_admin_message_by_id(admin, topic, "two words", &message, &error), MQC_BAD_ARGUMENT,
             "word");
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

struct key_wish {
    mqc_admin *admin;
    const char *topic, *key;
    size_t count;
};

static bool has_key(void *arg)
{
    struct key_wish *wish = arg;
    const mqc_message_list *list;
    mqc_error error;
    ck_ok(mqc_admin_messages_by_key(wish->admin, wish->topic, wish->key, 0, 0, 0, &list, &error));
    size_t count = list->count;
    for (size_t i = 1; i < count; i++)
        ck_assert_int_le(mqc_message_stored_unix_ms(list->messages[i - 1]),
                         mqc_message_stored_unix_ms(list->messages[i]));
    mqc_admin_result_free(list);
    return count == wish->count;
}

START_TEST(test_found_by_key)
{
    mqc_error error;
    const mqc_message_list *list;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(2);
    send_with_keys(producer, topic, "one all", "red", "1");
    send_with_keys(producer, topic, "two all", "red", "2");
    send_with_keys(producer, topic, "allx", "red", "3");
    struct key_wish wish = {admin, topic, "all", 2};
    contract_await("messages by key", has_key, &wish);
    wish = (struct key_wish){admin, topic, "two", 1};
    contract_await("a message by its own key", has_key, &wish);
    ck_ok(mqc_admin_messages_by_key(admin, topic, "al", 0, 0, 0, &list, &error));
    ck_assert_uint_eq(list->count, 0);
    mqc_admin_result_free(list);
    ck_ok(mqc_admin_messages_by_key(admin, topic, "all", contract_unix_ms() + 3600000, 0, 0, &list,
                                    &error));
    ck_assert_uint_eq(list->count, 0);
    mqc_admin_result_free(list);
    ck_fails(mqc_admin_messages_by_key(admin, topic, "", 0, 0, 0, &list, &error), MQC_BAD_ARGUMENT,
             "key");
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

struct visited {
    int count, most;
    char bodies[512];
};

static bool note(const mqc_message *message, void *arg)
{
    struct visited *visited = arg;
    mqc_view body = mqc_message_body(message);
    size_t used = strlen(visited->bodies);
    snprintf(visited->bodies + used, sizeof visited->bodies - used, "%.*s ", (int)body.size,
             (const char *)body.data);
    return ++visited->count != visited->most;
}

static struct visited visit(mqc_admin *admin, const mqc_message_range *range, int most)
{
    mqc_error error;
    struct visited visited = {.most = most};
    ck_ok(mqc_admin_each_message(admin, range, note, &visited, &error));
    return visited;
}

START_TEST(test_visits)
{
    mqc_error error;
    struct visited visited = {0};
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(2);
    mqc_message_queue queues[] = {contract_queue(topic, 0), contract_queue(topic, 1)};
    mqc_message_range range = {.topic = topic};
    ck_assert_int_eq(visit(admin, &range, 0).count, 0);
    for (int i = 0; i < 40; i++) {
        char body[8];
        snprintf(body, sizeof body, "%d", i);
        contract_send_to(producer, &queues[i % 2], body);
    }
    admins_await_messages(admin, topic, 40);
    ck_assert_int_eq(visit(admin, &range, 0).count, 40);
    ck_assert_str_eq(visit(admin, &range, 3).bodies, "0 2 4 ");
    range = (mqc_message_range){
        .topic = topic, .one_queue = true, .queue_id = 1, .begin_offset = 17, .end_offset = 19};
    ck_assert_str_eq(visit(admin, &range, 0).bodies, "35 37 ");
    range = (mqc_message_range){.topic = topic, .begin_unix_ms = contract_unix_ms() + 3600000};
    ck_assert_int_eq(visit(admin, &range, 0).count, 0);
    range = (mqc_message_range){.topic = topic, .end_unix_ms = contract_unix_ms() + 3600000};
    ck_assert_int_eq(visit(admin, &range, 0).count, 40);
    range = (mqc_message_range){.topic = topic, .end_unix_ms = contract_unix_ms() - 3600000};
    ck_assert_int_eq(visit(admin, &range, 0).count, 0);
    contract_send_tagged(producer, topic, "red", "tagged");
    admins_await_messages(admin, topic, 41);
    range = (mqc_message_range){.topic = topic, .tags = "blue || red"};
    ck_assert_str_eq(visit(admin, &range, 0).bodies, "tagged ");
    range = (mqc_message_range){.topic = topic, .begin_offset = 2, .end_offset = 1};
    ck_fails(mqc_admin_each_message(admin, &range, note, &visited, &error), MQC_BAD_ARGUMENT,
             "ends before");
    range = (mqc_message_range){.topic = topic, .broker_name = "broker-z"};
    ck_fails(mqc_admin_each_message(admin, &range, note, &visited, &error), MQC_NOT_FOUND,
             "broker-z");
    ck_fails(mqc_admin_each_message(admin, NULL, note, &visited, &error), MQC_BAD_ARGUMENT,
             "range");
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

static mqc_track_state state_of(mqc_admin *admin, const mqc_message *message, const char *group)
{
    mqc_error error;
    const mqc_message_tracks *tracks;
    mqc_track_state state = MQC_TRACK_UNKNOWN;
    ck_ok(mqc_admin_message_tracks(admin, message, &tracks, &error));
    for (size_t i = 0; i < tracks->count; i++)
        if (strcmp(tracks->tracks[i]->group, group) == 0) {
            state = tracks->tracks[i]->state;
            ck_assert_str_eq(tracks->tracks[i]->detail, "");
        }
    mqc_admin_result_free(tracks);
    return state;
}

START_TEST(test_followed)
{
    mqc_error error;
    const mqc_direct_result *direct;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    struct collector *collector = collector_new();
    const char *topic = contract_topic(1), *group = contract_name("group");
    mqc_client_options client = admins_hasty_client();
    mqc_push_consumer_options options = {.client = &client, .group = group};
    options.from = MQC_FROM_FIRST;
    options.listener = collector_listen;
    options.listener_arg = collector_seat(collector, 0);
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "red");
    mqc_send_result passed_over = send_with_keys(producer, topic, "k", "blue", "blue");
    mqc_send_result sent = send_with_keys(producer, topic, "k", "red", "red");
    collector_await(collector, 1);
    admins_await_lag(admin, group, topic, 0);
    mqc_message *red = find(admin, topic, sent.message_id);
    mqc_message *blue = find(admin, topic, passed_over.message_id);
    ck_assert_int_eq(state_of(admin, red, group), MQC_TRACK_CONSUMED);
    ck_assert_int_eq(state_of(admin, blue, group), MQC_TRACK_CONSUMED_FILTERED);
    ck_assert_str_eq(mqc_track_state_name(MQC_TRACK_CONSUMED_FILTERED), "CONSUMED_BUT_FILTERED");
    ck_ok(mqc_admin_consume_directly(admin, group, NULL, red, &direct, &error));
    ck_assert_str_eq(direct->result, "CR_SUCCESS");
    mqc_admin_result_free(direct);
    ck_assert_uint_eq(collector_count_body(collector, "red"), 2);
    ck_fails(mqc_admin_consume_directly(admin, group, "nobody@1", red, &direct, &error),
             MQC_NOT_FOUND, "nobody@1");
    contract_consumer_end(consumer);
    admins_await_members(admin, group, 0);
    ck_assert_int_eq(state_of(admin, red, group), MQC_TRACK_NOT_ONLINE);
    ck_fails(mqc_admin_consume_directly(admin, group, NULL, red, &direct, &error), MQC_NOT_FOUND,
             "online");
    mqc_message_free(red);
    mqc_message_free(blue);
    collector_free(collector);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_sent_again)
{
    mqc_error error;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(1), *other = contract_topic(1);
    mqc_send_result sent = send_with_keys(producer, topic, "k1 k2", "red", "again");
    mqc_message *message = find(admin, topic, sent.message_id), *copy;
    ck_ok(mqc_admin_resend(admin, message, other, &error));
    admins_await_messages(admin, other, 1);
    mqc_message_range range = {.topic = other};
    ck_assert_str_eq(visit(admin, &range, 0).bodies, "again ");
    struct key_wish wish = {admin, other, "k2", 1};
    contract_await("the copy by its key", has_key, &wish);
    const mqc_message_list *list;
    ck_ok(mqc_admin_messages_by_key(admin, other, "k2", 0, 0, 0, &list, &error));
    copy = mqc_message_ref(list->messages[0]);
    mqc_admin_result_free(list);
    ck_assert_str_eq(mqc_message_tag(copy), "red");
    ck_assert_str_eq(mqc_message_property(copy, "colour"), "blue");
    ck_assert_str_ne(mqc_message_id(copy), sent.message_id);
    mqc_message_free(copy);
    ck_ok(mqc_admin_resend(admin, message, NULL, &error));
    admins_await_messages(admin, topic, 2);
    range = (mqc_message_range){.topic = topic};
    ck_assert_str_eq(visit(admin, &range, 0).bodies, "again again ");
    mqc_message_free(message);
    message = mqc_message_new(topic, "x", 1);
    ck_fails(mqc_admin_resend(admin, message, NULL, &error), MQC_BAD_ARGUMENT, "stored");
    mqc_message_free(message);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

struct trace_wish {
    mqc_admin *admin;
    const char *id;
    size_t count;
};

static bool has_trace(void *arg)
{
    struct trace_wish *wish = arg;
    const mqc_trace *trace;
    mqc_error error;
    mqc_status status = mqc_admin_message_trace(wish->admin, NULL, wish->id, 0, 0, &trace, &error);
    if (status == MQC_NO_ROUTE) return false;
    ck_assert_msg(status == MQC_OK, "%s", error.text);
    bool there = trace->count == wish->count;
    if (there) {
        ck_assert_int_eq(trace->events[0]->kind, MQC_TRACE_SEND);
        ck_assert_str_eq(trace->events[0]->group, "payments");
        ck_assert_int_eq(trace->events[1]->kind, MQC_TRACE_CONSUME);
        ck_assert_str_eq(trace->events[1]->result, "SUCCESS");
        ck_assert_ptr_nonnull(strstr(trace->events[1]->client_host, "127.0.0.1"));
    }
    mqc_admin_result_free(trace);
    return there;
}

/* As a Java client tells it. */
START_TEST(test_traced)
{
    char told[512];
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const char *id = contract_name("id");
    snprintf(
        told, sizeof told,
        "Pub\0011795447793485\1R\1payments\1orders\1%s\1\1k\1127.0.0.1:1\0014\0017\0010\1OID\1true"
        "\2SubBefore\0011795447793500\1null\1readers\1REQ\1%s\0010\1k\2SubAfter\1REQ\1%s\00112\1"
        "true\1k\0010\0011795447793512\1readers\2",
        id, id, id);
    send_with_keys(producer, "RMQ_SYS_TRACE_TOPIC", id, "t", told);
    struct trace_wish wish = {admin, id, 2};
    contract_await("the trace", has_trace, &wish);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

static mqc_consume_status refuse(mqc_delivery *delivery, void *arg)
{
    (void)delivery;
    (void)arg;
    return MQC_RECONSUME_LATER;
}

struct letter {
    mqc_admin *admin;
    const char *topic;
    mqc_message *message;
};

static bool keep(const mqc_message *message, void *arg)
{
    struct letter *letter = arg;
    letter->message = mqc_message_ref(message);
    return false;
}

static bool has_letter(void *arg)
{
    struct letter *letter = arg;
    mqc_error error;
    mqc_message_range range = {.topic = letter->topic};
    mqc_status status = mqc_admin_each_message(letter->admin, &range, keep, letter, &error);
    if (status != MQC_NO_ROUTE) ck_assert_msg(status == MQC_OK, "%s", error.text);
    return letter->message != NULL;
}

START_TEST(test_dead_letter_replayed)
{
    mqc_error error;
    char dead_letters[128];
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    struct collector *first = collector_new_judging(refuse, NULL), *second = collector_new();
    const char *topic = contract_topic(1), *group = contract_name("group");
    snprintf(dead_letters, sizeof dead_letters, "%%DLQ%%%s", group);
    mqc_push_consumer_options options = {.group = group,
                                         .from = MQC_FROM_FIRST,
                                         .max_reconsume_times = -1,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(first, 0)};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    send_with_keys(producer, topic, "k", "red", "letter");
    collector_await(first, 1);
    struct letter letter = {.admin = admin, .topic = dead_letters};
    contract_await("a dead letter", has_letter, &letter);
    contract_consumer_end(consumer);
    options.listener_arg = collector_seat(second, 0);
    consumer = contract_consumer(&options, topic, "*");
    ck_ok(mqc_admin_replay(admin, group, letter.message, &error));
    struct received received = collector_await_body(second, "letter");
    ck_assert_str_eq(mqc_message_topic(received.message), topic);
    ck_assert_str_eq(mqc_message_property(received.message, "colour"), "blue");
    ck_assert_int_eq(mqc_message_reconsume_times(received.message), 0);
    ck_fails(mqc_admin_replay(admin, contract_name("other"), letter.message, &error),
             MQC_BAD_ARGUMENT, "no dead letter of group");
    contract_consumer_end(consumer);
    mqc_message_free(letter.message);
    collector_free(first);
    collector_free(second);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

CONTRACT_MAIN("admin of messages", test_found_by_both_ids, test_found_by_key, test_visits,
              test_followed, test_traced, test_sent_again, test_dead_letter_replayed)
