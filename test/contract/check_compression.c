/* Compression of bodies: whatever the producer's options say, what arrives is what was sent. How a
 * body is stored can be looked at only where the cluster is embedded. */
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/collector.h"

enum { LEAST_BYTES = 4096, LARGE_BYTES = 300000, CASE_COUNT = 3 };

/* Each type with the bytes that its data begins with: RFC 1950, the LZ4 frame format, RFC 8878. */
static const struct {
    mqc_compression compression;
    size_t magic_bytes;
    const char *magic;
} CASES[CASE_COUNT] = {
    {MQC_COMPRESS_ZLIB, 1, "\x78"},
    {MQC_COMPRESS_LZ4, 4, "\x04\x22\x4d\x18"},
    {MQC_COMPRESS_ZSTD, 4, "\x28\xb5\x2f\xfd"},
};

static mqc_producer *producer_of(mqc_producer_options options)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    options.client = &client;
    options.group = contract_name("producer");
    options.send_timeout_ms = CONTRACT_WAIT_MS;
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_assert_msg(producer != NULL, "mqc_producer_new: %s", error.text);
    ck_ok(mqc_producer_start(producer, &error));
    return producer;
}

/* Text, as far as a compressor is concerned. */
static char *make_text(size_t bytes)
{
    char *body = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) body[i] = (char)('a' + i * i / 64 % 26);
    return body;
}

static char *make_noise(size_t bytes)
{
    char *body = malloc(bytes);
    uint32_t state = 2463534242;
    for (size_t i = 0; i < bytes; i++) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        body[i] = (char)(state >> 24);
    }
    return body;
}

static void send_bytes(mqc_producer *producer, const char *topic, const char *body, size_t bytes)
{
    mqc_error error;
    mqc_message *message = mqc_message_new(topic, body, bytes);
    ck_ok(mqc_producer_send(producer, message, NULL, NULL, &error));
    mqc_view view = mqc_message_body(message);
    ck_assert_uint_eq(view.size, bytes); /* the message itself is as it was */
    ck_assert_int_eq(memcmp(view.data, body, bytes), 0);
    mqc_message_free(message);
}

static mqc_push_consumer *consume_all(struct collector *collector, const char *topic)
{
    mqc_push_consumer_options options = {.group = contract_name("readers"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    return contract_consumer(&options, topic, "*");
}

/* All that came to a topic has this body. */
static void assert_arrives(const char *topic, size_t count, const char *body, size_t bytes)
{
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, count);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), count);
    for (size_t i = 0; i < count; i++) {
        mqc_view view = mqc_message_body(collector_at(collector, i).message);
        ck_assert_uint_eq(view.size, bytes);
        ck_assert_int_eq(memcmp(view.data, body, bytes), 0);
    }
    collector_free(collector);
}

/* How the broker keeps the messages of a topic. */
struct stored {
    size_t bytes; /* of the last body */
    size_t count;
    unsigned char first[4];
};

static bool look(const mqc_embedded_message *message, void *arg)
{
    struct stored *stored = arg;
    stored->count++;
    stored->bytes = message->body_bytes;
    memcpy(stored->first, message->body, message->body_bytes < 4 ? message->body_bytes : 4);
    return true;
}

static struct stored stored_at(const char *topic)
{
    mqc_error error;
    struct stored stored = {0};
    ck_ok(mqc_embedded_each_message(contract_embedded(), topic, look, &stored, &error));
    return stored;
}

/* As they are stored, where that can be seen: every one compressed so, or every one raw. */
static void assert_stored(const char *topic, size_t count, size_t bytes, int compressed_as)
{
    if (!contract_embedded()) return;
    struct stored stored = stored_at(topic);
    ck_assert_uint_eq(stored.count, count);
    if (compressed_as < 0) {
        ck_assert_uint_eq(stored.bytes, bytes);
        return;
    }
    ck_assert_uint_lt(stored.bytes, bytes);
    ck_assert_int_eq(
        memcmp(stored.first, CASES[compressed_as].magic, CASES[compressed_as].magic_bytes), 0);
}

START_TEST(test_each_type)
{
    char *body = make_text(LARGE_BYTES);
    for (int i = 0; i < CASE_COUNT; i++) {
        const char *topic = contract_topic(1);
        mqc_producer *producer =
            producer_of((mqc_producer_options){.compression = CASES[i].compression});
        send_bytes(producer, topic, body, LARGE_BYTES);
        mqc_producer_free(producer);
        assert_stored(topic, 1, LARGE_BYTES, i);
        assert_arrives(topic, 1, body, LARGE_BYTES);
    }
    free(body);
}
END_TEST

static mqc_consume_status refuse_first(mqc_delivery *delivery, void *arg)
{
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    mqc_delivery_retry_level(delivery, 1);
    return mqc_message_reconsume_times(message) == 0 ? MQC_RECONSUME_LATER
                                                     : collector_listen(delivery, arg);
}

static bool comes_again(void *collector)
{
    mqc_embedded_advance_clock(contract_embedded(), 60000); /* the copy is delayed */
    return collector_count(collector) > 0;
}

/* When the broker does not take a message back, the consumer sends a copy of it: compressed too. */
START_TEST(test_copies_for_retry)
{
    enum { CONSUMER_SEND_MSG_BACK = 36 };
    mqc_error error;
    mqc_embedded *cluster = contract_embedded();
    if (!cluster) return;
    char *body = make_text(LARGE_BYTES);
    const char *topic = contract_topic(1), *group = contract_name("readers");
    char retry_topic[160];
    snprintf(retry_topic, sizeof retry_topic, "%%RETRY%%%s", group);
    ck_ok(mqc_embedded_add_fault(cluster,
                                 &(mqc_embedded_fault){.kind = MQC_FAULT_ANSWER,
                                                       .value = 1,
                                                       .request_code = CONSUMER_SEND_MSG_BACK},
                                 NULL, &error));
    mqc_producer *producer = producer_of((mqc_producer_options){0});
    send_bytes(producer, topic, body, LARGE_BYTES);
    mqc_producer_free(producer);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer =
        contract_consumer(&(mqc_push_consumer_options){.group = group,
                                                       .listener = refuse_first,
                                                       .listener_arg = collector_seat(collector, 0),
                                                       .from = MQC_FROM_FIRST},
                          topic, "*");
    contract_await("the copy", comes_again, collector);
    contract_consumer_end(consumer);
    mqc_view view = mqc_message_body(collector_at(collector, 0).message);
    ck_assert_uint_eq(view.size, LARGE_BYTES);
    ck_assert_int_eq(memcmp(view.data, body, LARGE_BYTES), 0);
    assert_stored(retry_topic, 1, LARGE_BYTES, 0);
    collector_free(collector);
    free(body);
}
END_TEST

START_TEST(test_default_threshold)
{
    char *body = make_text(LEAST_BYTES);
    mqc_producer *producer = producer_of((mqc_producer_options){0});
    for (size_t bytes = LEAST_BYTES - 1; bytes <= LEAST_BYTES; bytes++) {
        const char *topic = contract_topic(1);
        send_bytes(producer, topic, body, bytes);
        assert_stored(topic, 1, bytes, bytes < LEAST_BYTES ? -1 : 0);
        assert_arrives(topic, 1, body, bytes);
    }
    mqc_producer_free(producer);
    free(body);
}
END_TEST

START_TEST(test_threshold_of_ones_own)
{
    enum { OWN = 500 };
    char *body = make_text(OWN);
    mqc_producer *producer = producer_of((mqc_producer_options){
        .compress_above_bytes = OWN, .compression = MQC_COMPRESS_ZSTD, .compress_level = 22});
    for (size_t bytes = OWN - 1; bytes <= OWN; bytes++) {
        const char *topic = contract_topic(1);
        send_bytes(producer, topic, body, bytes);
        assert_stored(topic, 1, bytes, bytes < OWN ? -1 : 2);
        assert_arrives(topic, 1, body, bytes);
    }
    mqc_producer_free(producer);
    free(body);
}
END_TEST

START_TEST(test_never)
{
    char *body = make_text(LARGE_BYTES);
    const char *topic = contract_topic(1);
    mqc_producer *producer = producer_of((mqc_producer_options){.compress_above_bytes = -1});
    send_bytes(producer, topic, body, LARGE_BYTES);
    mqc_producer_free(producer);
    assert_stored(topic, 1, LARGE_BYTES, -1);
    assert_arrives(topic, 1, body, LARGE_BYTES);
    free(body);
}
END_TEST

START_TEST(test_noise_is_sent_raw)
{
    char *body = make_noise(LARGE_BYTES);
    for (int i = 0; i < CASE_COUNT; i++) {
        const char *topic = contract_topic(1);
        mqc_producer *producer =
            producer_of((mqc_producer_options){.compression = CASES[i].compression});
        send_bytes(producer, topic, body, LARGE_BYTES);
        mqc_producer_free(producer);
        assert_stored(topic, 1, LARGE_BYTES, -1);
        assert_arrives(topic, 1, body, LARGE_BYTES);
    }
    free(body);
}
END_TEST

static void ignore(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    (void)result, (void)error, (void)arg;
}

/* The other two verbs compress as well. What they sent is known by what arrives. */
START_TEST(test_async_and_oneway)
{
    mqc_error error;
    char *body = make_text(LARGE_BYTES);
    const char *topic = contract_topic(1);
    mqc_producer *producer = producer_of((mqc_producer_options){.compression = MQC_COMPRESS_LZ4});
    mqc_message *message = mqc_message_new(topic, body, LARGE_BYTES);
    ck_ok(mqc_producer_send_async(producer, message, NULL, ignore, NULL, &error));
    ck_ok(mqc_producer_send_oneway(producer, message, NULL, &error));
    mqc_message_free(message);
    assert_arrives(topic, 2, body, LARGE_BYTES);
    assert_stored(topic, 2, LARGE_BYTES, 1);
    mqc_producer_free(producer);
    free(body);
}
END_TEST

/* Received compressed, sent on by another producer with another type. */
START_TEST(test_forwarded)
{
    mqc_error error;
    char *body = make_text(LARGE_BYTES);
    const char *topic = contract_topic(1);
    mqc_producer *first = producer_of((mqc_producer_options){.compression = MQC_COMPRESS_ZLIB});
    send_bytes(first, topic, body, LARGE_BYTES);
    mqc_producer_free(first);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, 1);
    contract_consumer_end(consumer);
    const mqc_message *received = collector_at(collector, 0).message;
    mqc_producer *second = producer_of((mqc_producer_options){.compression = MQC_COMPRESS_ZSTD});
    ck_ok(mqc_producer_send(second, received, NULL, NULL, &error));
    mqc_producer_free(second);
    collector_free(collector);
    assert_stored(topic, 2, LARGE_BYTES, 2);
    assert_arrives(topic, 2, body, LARGE_BYTES);
    free(body);
}
END_TEST

/* The limit is of the body as the application sees it, as in Java. */
START_TEST(test_limit_is_before_compression)
{
    mqc_error error;
    char *body = make_text(LARGE_BYTES);
    const char *topic = contract_topic(1);
    mqc_producer *producer =
        producer_of((mqc_producer_options){.max_message_bytes = LARGE_BYTES - 1});
    mqc_message *message = mqc_message_new(topic, body, LARGE_BYTES);
    ck_fails(mqc_producer_send(producer, message, NULL, NULL, &error), MQC_TOO_BIG, "300000",
             "299999");
    mqc_message_free(message);
    mqc_producer_free(producer);
    free(body);
}
END_TEST

static void assert_refused(mqc_producer_options options, const char *name, const char *part)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    options.client = &client;
    options.group = contract_name("producer");
    ck_assert_ptr_null(mqc_producer_new(&options, &error));
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    ck_assert_msg(strstr(error.text, name) && strstr(error.text, part), "%s", error.text);
}

START_TEST(test_bad_options)
{
    assert_refused((mqc_producer_options){.compress_above_bytes = -2}, "compress_above_bytes",
                   "4096");
    assert_refused((mqc_producer_options){.compression = (mqc_compression)3}, "compression",
                   "ZSTD");
    assert_refused((mqc_producer_options){.compress_level = 23}, "compress_level", "22");
    assert_refused((mqc_producer_options){.compress_level = -1}, "compress_level", "22");
}
END_TEST

CONTRACT_MAIN("compression", test_each_type, test_default_threshold, test_threshold_of_ones_own,
              test_never, test_copies_for_retry, test_noise_is_sent_raw, test_async_and_oneway,
              test_forwarded, test_limit_is_before_compression, test_bad_options)
