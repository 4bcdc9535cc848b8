/* The message trace: what is sent and consumed leaves records in the trace topic, of the form that
 * RocketMQ's console reads. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/collector.h"

enum { FIELDS_MOST = 20, RECORDS_MOST = 64 };

struct record {
    char *fields[FIELDS_MOST];
    int count;
};

/* All records of a trace topic; `carriers` are the messages that have them, to be kept as long. */
struct records {
    struct record items[RECORDS_MOST];
    int count;
};

static void split(struct records *records, const mqc_message *carrier)
{
    mqc_view body = mqc_message_body(carrier);
    char *text = malloc(body.size + 1);
    memcpy(text, body.data, body.size);
    text[body.size] = '\0';
    ck_assert_int_eq(text[body.size - 1], 2);
    for (char *save = NULL, *part = strtok_r(text, "\2", &save); part;
         part = strtok_r(NULL, "\2", &save)) {
        ck_assert_int_lt(records->count, RECORDS_MOST);
        struct record *record = &records->items[records->count++];
        for (char *field = part; field; record->count++) {
            ck_assert_int_lt(record->count, FIELDS_MOST);
            record->fields[record->count] = field;
            field = strchr(field, '\1');
            if (field) *field++ = '\0';
        }
    }
}

/* Records of a type about a message; NULL when there is none. */
static const struct record *find(const struct records *records, const char *type, int id_field,
                                 const char *id)
{
    for (int i = 0; i < records->count; i++) {
        const struct record *record = &records->items[i];
        if (strcmp(record->fields[0], type) == 0 && record->count > id_field &&
            strcmp(record->fields[id_field], id) == 0)
            return record;
    }
    return NULL;
}

static mqc_push_consumer *consume(struct collector *collector, const mqc_client_options *client,
                                  const char *group, const char *topic)
{
    return contract_consumer(
        &(mqc_push_consumer_options){.client = client,
                                     .group = group,
                                     .listener = collector_listen,
                                     .listener_arg = collector_seat(collector, 0),
                                     .from = MQC_FROM_FIRST},
        topic, "*");
}

struct awaited {
    struct collector *collector;
    int wanted;
};

static int records_in(const mqc_message *carrier)
{
    mqc_view body = mqc_message_body(carrier);
    int count = 0;
    for (size_t i = 0; i < body.size; i++) count += ((const char *)body.data)[i] == 2;
    return count;
}

static bool all_came(void *arg)
{
    const struct awaited *awaited = arg;
    int count = 0;
    for (size_t i = 0; i < collector_count(awaited->collector); i++)
        count += records_in(collector_at(awaited->collector, i).message);
    return count >= awaited->wanted;
}

/* Reads so many records back from the trace topic. */
static void read_records(const char *trace_topic, int wanted, struct records *records)
{
    struct collector *collector = collector_new();
    struct awaited awaited = {collector, wanted};
    mqc_push_consumer *reader =
        consume(collector, NULL, contract_name("tracereaders"), trace_topic);
    contract_await("the records of the trace", all_came, &awaited);
    contract_consumer_end(reader);
    for (size_t i = 0; i < collector_count(collector); i++)
        split(records, collector_at(collector, i).message);
    ck_assert_int_eq(records->count, wanted);
    collector_free(collector);
}

START_TEST(test_sends_and_consumption_are_recorded)
{
    mqc_error error;
    static struct records records;
    const char *topic = contract_topic(1), *trace_topic = contract_topic(1);
    const char *group = contract_name("readers");
    mqc_client_options client = contract_client();
    client.trace = true;
    client.trace_topic = trace_topic;
    mqc_producer *producer = contract_producer(&client);
    mqc_message *message = mqc_message_new(topic, "hello", 5);
    ck_ok(mqc_message_set_tag(message, "TagA", &error));
    ck_ok(mqc_message_set_keys(message, "key1 key2", &error));
    mqc_send_result result;
    ck_ok(mqc_producer_send(producer, message, NULL, &result, &error));
    mqc_message_free(message);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume(collector, &client, group, topic);
    collector_await(collector, 1);
    contract_consumer_end(consumer); /* sends what is left of its trace, as the producer does */
    mqc_producer_free(producer);
    collector_free(collector);
    read_records(trace_topic, 3, &records);

    const struct record *sent = find(&records, "Pub", 5, result.message_id);
    ck_assert_ptr_nonnull(sent);
    ck_assert_int_eq(sent->count, 14);
    ck_assert_str_eq(sent->fields[2], result.region);
    ck_assert_int_eq(strncmp(sent->fields[3], "producer-", 9), 0);
    ck_assert_str_eq(sent->fields[4], topic);
    ck_assert_str_eq(sent->fields[6], "TagA");
    ck_assert_str_eq(sent->fields[7], "key1 key2");
    ck_assert_ptr_nonnull(strchr(sent->fields[8], ':'));
    ck_assert_str_eq(sent->fields[9], "5");
    ck_assert_str_eq(sent->fields[11], "0");
    ck_assert_str_eq(sent->fields[12], result.offset_message_id);
    ck_assert_str_eq(sent->fields[13], "true");

    const struct record *before = find(&records, "SubBefore", 5, result.message_id);
    const struct record *after = find(&records, "SubAfter", 2, result.message_id);
    ck_assert_ptr_nonnull(before);
    ck_assert_ptr_nonnull(after);
    ck_assert_int_eq(before->count, 8);
    ck_assert_int_eq(after->count, 9);
    ck_assert_str_eq(before->fields[3], group);
    ck_assert_str_eq(before->fields[4], after->fields[1]); /* the request id */
    ck_assert_str_eq(before->fields[6], "0");
    ck_assert_str_eq(before->fields[7], "key1 key2");
    ck_assert_str_eq(after->fields[4], "true");
    ck_assert_str_eq(after->fields[6], "0");
    ck_assert_str_eq(after->fields[8], group);
}
END_TEST

static void count_call(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    (void)error;
    if (result) snprintf(arg, 64, "%s", result->message_id);
}

/* Asynchronous sends too; delayed ones are said to be; each carrier can be found by the ids. */
START_TEST(test_other_sends_are_recorded)
{
    mqc_error error;
    static struct records records;
    char async_id[64] = "";
    const char *topic = contract_topic(1), *trace_topic = contract_topic(1);
    mqc_client_options client = contract_client();
    client.trace = true;
    client.trace_topic = trace_topic;
    mqc_producer *producer = contract_producer(&client);
    mqc_message *message = mqc_message_new(topic, "x", 1);
    ck_ok(mqc_producer_send_async(producer, message, NULL, count_call, async_id, &error));
    ck_ok(mqc_message_set_delay_level(message, 1, &error));
    mqc_send_result delayed;
    ck_ok(mqc_producer_send(producer, message, NULL, &delayed, &error));
    mqc_message_free(message);
    ck_ok(mqc_producer_shutdown(producer, CONTRACT_WAIT_MS, &error));
    mqc_producer_free(producer);
    read_records(trace_topic, 2, &records);
    ck_assert_ptr_nonnull(find(&records, "Pub", 5, async_id));
    const struct record *record = find(&records, "Pub", 5, delayed.message_id);
    ck_assert_ptr_nonnull(record);
    ck_assert_str_eq(record->fields[6], "null"); /* no tag */
    ck_assert_str_eq(record->fields[11], "3");
}
END_TEST

static mqc_transaction_state commit(const mqc_transaction *transaction, void *arg)
{
    (void)transaction, (void)arg;
    return MQC_TRANSACTION_COMMIT;
}

START_TEST(test_transactions_are_recorded)
{
    mqc_error error;
    static struct records records;
    const char *topic = contract_topic(1), *trace_topic = contract_topic(1);
    mqc_client_options client = contract_client();
    client.trace = true;
    client.trace_topic = trace_topic;
    mqc_producer *producer = mqc_producer_new(
        &(mqc_producer_options){.client = &client, .group = contract_name("producer")}, &error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_on_check(producer, commit, NULL, &error));
    ck_ok(mqc_producer_start(producer, &error));
    mqc_message *message = mqc_message_new(topic, "x", 1);
    mqc_transaction_result result;
    ck_ok(mqc_producer_send_transaction(producer, message, NULL, commit, NULL, &result, &error));
    mqc_message_free(message);
    ck_ok(mqc_producer_shutdown(producer, CONTRACT_WAIT_MS, &error));
    mqc_producer_free(producer);
    read_records(trace_topic, 2, &records);
    const struct record *half = find(&records, "Pub", 5, result.half.message_id);
    const struct record *end = find(&records, "EndTransaction", 5, result.half.message_id);
    ck_assert_ptr_nonnull(half);
    ck_assert_ptr_nonnull(end);
    ck_assert_str_eq(half->fields[11], "1");
    ck_assert_int_eq(end->count, 13);
    ck_assert_str_eq(end->fields[4], topic);
    ck_assert_str_eq(end->fields[9], "2");
    ck_assert_str_eq(end->fields[11], "COMMIT_MESSAGE");
    ck_assert_str_eq(end->fields[12], "false");
}
END_TEST

static mqc_consume_status refuse_all(mqc_delivery *delivery, void *arg)
{
    mqc_delivery_retry_level(delivery, -1);
    atomic_fetch_add((atomic_int *)arg, 1);
    return MQC_RECONSUME_LATER;
}

static bool one_came(void *count)
{
    return atomic_load((atomic_int *)count) == 1;
}

START_TEST(test_refused_messages_are_recorded_so)
{
    static struct records records;
    static atomic_int refused;
    const char *topic = contract_topic(1), *trace_topic = contract_topic(1);
    mqc_client_options client = contract_client();
    mqc_producer *producer = contract_producer(&client);
    mqc_send_result result = contract_send(producer, topic, "x");
    mqc_producer_free(producer);
    client.trace = true;
    client.trace_topic = trace_topic;
    mqc_push_consumer *consumer =
        contract_consumer(&(mqc_push_consumer_options){.client = &client,
                                                       .group = contract_name("readers"),
                                                       .listener = refuse_all,
                                                       .listener_arg = &refused,
                                                       .from = MQC_FROM_FIRST},
                          topic, "*");
    contract_await("the message", one_came, &refused);
    contract_consumer_end(consumer); /* sends the records at once, and not after their 5 s */
    read_records(trace_topic, 2, &records);
    const struct record *after = find(&records, "SubAfter", 2, result.message_id);
    ck_assert_ptr_nonnull(after);
    ck_assert_str_eq(after->fields[4], "false");
    ck_assert_str_eq(after->fields[6], "4");
}
END_TEST

/* A trace topic that nobody answers for costs sends nothing but the records. */
START_TEST(test_trouble_with_the_trace_is_its_own)
{
    mqc_error error;
    mqc_embedded *cluster = mqc_embedded_start(NULL, &error);
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(cluster), .trace = true};
    ck_ok(mqc_embedded_add_fault(
        cluster, &(mqc_embedded_fault){.kind = MQC_FAULT_LOSE, .topic = "RMQ_SYS_TRACE_TOPIC"},
        NULL, &error));
    mqc_producer *producer = contract_producer(&client);
    contract_send_many(producer, "topic", "m", 100);
    ck_ok(mqc_producer_shutdown(producer, CONTRACT_WAIT_MS, &error));
    mqc_producer_free(producer);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "topic"), 100);
    mqc_embedded_stop(cluster);
}
END_TEST

START_TEST(test_wrong_settings)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    client.trace_topic = "topic";
    ck_assert_ptr_null(mqc_admin_new(&client, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "enableMsgTrace"));
    client.trace = true;
    client.trace_topic = "not a topic";
    ck_assert_ptr_null(mqc_admin_new(&client, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "topic"));
}
END_TEST

CONTRACT_MAIN("trace", test_sends_and_consumption_are_recorded, test_other_sends_are_recorded,
              test_transactions_are_recorded, test_refused_messages_are_recorded_so,
              test_trouble_with_the_trace_is_its_own, test_wrong_settings)
