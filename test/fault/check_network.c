/* What must hold when the network between a client and its brokers misbehaves: nothing that was
 * said to be sent is lost, no call outlasts its deadline, the client rests while it lasts, and
 * works again when it is over. The limits are far above what a busy machine needs. */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

#include "lib/base/clock.h"
#include "test/fault/proxy.h"
#include "test/unit/net/certificates.h"
#include "test/unit/unit.h"

enum {
    MESSAGES_MOST = 4096,
    WAIT_MS = 60000,
    RECOVERY_MS = 20000,
    FAULT_MS = 400,
    SEND_MESSAGE_V2 = 310
};

static mqc_embedded *cluster;
static struct proxy *to_names, *to_broker;
static mqc_error error;
static mqc_producer *producer;
static int sent; /* numbers of messages, whether they got through or not */
static bool acknowledged[MESSAGES_MOST], stored[MESSAGES_MOST];

#define ok(call) ck_assert_msg((call) == MQC_OK, "%s: %s", #call, error.text)

static bool map_address(const char *broker_name, int64_t broker_id, const char *advertised,
                        char *out, size_t out_bytes, void *arg)
{
    (void)broker_name, (void)broker_id, (void)advertised, (void)arg;
    snprintf(out, out_bytes, "%s", proxy_address(to_broker));
    return true;
}

static mqc_client_options through_proxies(void)
{
    return (mqc_client_options){.name_servers = proxy_address(to_names),
                                .map_address = map_address,
                                .connect_timeout_ms = 300,
                                .request_timeout_ms = 1000,
                                .route_refresh_ms = 50};
}

static void begin_with(const mqc_embedded_options *options, const mqc_tls_options *tls)
{
    mqc_log_set_level(MQC_LOG_OFF);
    cluster = mqc_embedded_start(options, &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    ok(mqc_embedded_create_topic(cluster, -1, "orders", 1, &error));
    to_names = proxy_start(mqc_embedded_name_servers(cluster));
    to_broker = proxy_start(mqc_embedded_broker_address(cluster, 0));
    mqc_client_options client = through_proxies();
    if (tls) client.tls = *tls;
    mqc_producer_options with = {.client = &client,
                                 .group = "p",
                                 .send_timeout_ms = 3000,
                                 .attempt_timeout_ms = 500,
                                 .retries = 1};
    producer = mqc_producer_new(&with, &error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    ok(mqc_producer_start(producer, &error));
}

static void begin(void)
{
    begin_with(NULL, NULL);
}

static bool note_stored(const mqc_embedded_message *message, void *arg)
{
    char text[16];
    (void)arg;
    ck_assert_uint_lt(message->body_bytes, sizeof text);
    memcpy(text, message->body, message->body_bytes);
    text[message->body_bytes] = '\0';
    stored[atoi(text)] = true;
    return true;
}

static void end(void)
{
    mqc_producer_free(producer);
    ok(mqc_embedded_each_message(cluster, "orders", note_stored, NULL, &error));
    for (int i = 0; i < sent; i++)
        ck_assert_msg(!acknowledged[i] || stored[i], "message %d was acknowledged and is lost", i);
    proxy_stop(to_broker);
    proxy_stop(to_names);
    mqc_embedded_stop(cluster);
}

static mqc_status send_for(int timeout_ms)
{
    char body[16];
    ck_assert_int_lt(sent, MESSAGES_MOST);
    snprintf(body, sizeof body, "%d", sent);
    mqc_message *message = mqc_message_new("orders", body, strlen(body));
    mqc_send_options options = {.timeout_ms = timeout_ms};
    int64_t begun_ms = clock_now_ms();
    mqc_status status = mqc_producer_send(producer, message, &options, NULL, &error);
    mqc_message_free(message);
    ck_assert_int_lt(clock_now_ms() - begun_ms, timeout_ms + 10000);
    acknowledged[sent++] = status == MQC_OK;
    return status;
}

static mqc_status send_one(void)
{
    return send_for(3000);
}

/* Calls that come until it works again. */
static void recover(void)
{
    int64_t deadline_ms = clock_deadline_ms(RECOVERY_MS);
    while (send_one() != MQC_OK)
        ck_assert_msg(clock_now_ms() < deadline_ms, "no recovery: %s", error.text);
}

/* ---- what a fault may cost ---- */

struct cost {
    int64_t cpu_us;
    long switches;
};

static struct cost cost_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct cost){(int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                             usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
                         usage.ru_nvcsw};
}

/* Lets a fault last for a while, in which the whole process, cluster and proxies with it, does next
 * to nothing. */
static void rest(void)
{
    struct cost before = cost_now();
    clock_sleep_until(clock_now_ms() + FAULT_MS);
    struct cost after = cost_now();
    ck_assert_int_lt(after.cpu_us - before.cpu_us, FAULT_MS * 1000 / 2);
    ck_assert_int_lt(after.switches - before.switches, 2000);
}

/* ---- cuts ---- */

/* Cuts at each byte of what goes one way while a message is sent, or the more the further on. */
static void cut_everywhere(bool to_client)
{
    bool cut = true;
    ok(send_one());
    for (size_t at = 0; cut; at += 1 + at / 16) {
        proxy_cut(to_broker, to_client, at);
        mqc_status status = send_one();
        cut = proxy_was_cut(to_broker);
        ck_assert_msg(status == MQC_OK, "cut at %zu: %s", at, error.text); /* sent again */
        ck_assert_uint_lt(at, 4096);
    }
}

START_TEST(requests_are_cut_at_every_byte)
{
    begin();
    cut_everywhere(false);
    end();
}
END_TEST

START_TEST(answers_are_cut_at_every_byte)
{
    begin();
    cut_everywhere(true);
    end();
}
END_TEST

/* No handshake is complete before the answer: whatever is missing of it, the next one works. */
START_TEST(handshakes_are_cut)
{
    mqc_tls_options tls = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    begin_with(&(mqc_embedded_options){.certificate_file = certificate_path("server.pem"),
                                       .key_file = certificate_path("server.key")},
               &tls);
    ok(send_one());
    for (size_t at = 0; at < 1200; at += 1 + at / 3) {
        for (int to_client = 0; to_client < 2; to_client++) {
            proxy_refuse(to_broker);
            proxy_cut(to_broker, to_client, at);
            proxy_pass(to_broker);
            recover();
        }
    }
    end();
}
END_TEST

/* ---- silence ---- */

START_TEST(nothing_comes_through_for_a_while)
{
    begin();
    ok(send_one());
    proxy_swallow(to_broker);
    proxy_swallow(to_names);
    ck_assert_int_eq(send_for(200), MQC_TIMEOUT);
    rest();
    ck_assert_int_ne(send_for(200), MQC_OK);
    proxy_pass(to_broker);
    proxy_pass(to_names);
    recover();
    end();
}
END_TEST

/* The broker's end is gone, and no RST has come. */
START_TEST(a_half_open_connection_is_given_up)
{
    begin();
    ok(send_one());
    int before = proxy_connections(to_broker);
    proxy_forget(to_broker);
    ok(send_one()); /* the first attempt is never answered, the second goes elsewhere */
    ck_assert_int_gt(proxy_connections(to_broker), before);
    ok(send_one());
    end();
}
END_TEST

START_TEST(nobody_is_there_for_a_while)
{
    begin();
    ok(send_one());
    proxy_refuse(to_broker);
    proxy_refuse(to_names);
    ck_assert_int_ne(send_for(200), MQC_OK);
    rest();
    proxy_pass(to_broker);
    proxy_pass(to_names);
    recover();
    end();
}
END_TEST

/* ---- name servers ---- */

/* Routes that are known are used: nobody who sends takes notice. */
START_TEST(name_servers_come_and_go)
{
    begin();
    ok(send_one());
    for (int i = 0; i < 20; i++) {
        int before = proxy_connections(to_names);
        proxy_refuse(to_names);
        ok(send_one());
        proxy_pass(to_names);
        ok(send_one());
        if (i % 5 == 0) /* until it has asked again, too */
            while (proxy_connections(to_names) == before) poll(NULL, 0, 1);
    }
    end();
}
END_TEST

/* ---- consumers ---- */

static atomic_int consumed[MESSAGES_MOST];

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++) {
        mqc_view body = mqc_message_body(mqc_delivery_at(delivery, i));
        char text[16];
        memcpy(text, body.data, body.size);
        text[body.size] = '\0';
        atomic_fetch_add(&consumed[atoi(text)], 1);
    }
    return MQC_CONSUME_SUCCESS;
}

static mqc_push_consumer *start_consumer(void)
{
    mqc_client_options client = through_proxies();
    mqc_push_consumer_options options = {
        .client = &client, .group = "g", .listener = take, .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_ptr_nonnull(consumer);
    ok(mqc_push_consumer_subscribe(consumer, "orders", "*", &error));
    ok(mqc_push_consumer_start(consumer, &error));
    return consumer;
}

static void await_consumed(int number)
{
    int64_t deadline_ms = clock_deadline_ms(WAIT_MS);
    while (atomic_load(&consumed[number]) == 0) {
        ck_assert_msg(clock_now_ms() < deadline_ms, "message %d does not come", number);
        poll(NULL, 0, 1);
    }
}

/* An answer that is cut within a message is no answer: all of it comes again. */
START_TEST(a_consumer_gets_what_was_cut_off)
{
    begin();
    for (int i = 0; i < 20; i++) ok(send_one());
    proxy_cut(to_broker, true, 1500);
    mqc_push_consumer *consumer = start_consumer();
    for (int i = 0; i < 20; i++) await_consumed(i);
    ck_assert(proxy_was_cut(to_broker)); /* else nothing was tested */
    mqc_push_consumer_free(consumer);
    end();
}
END_TEST

/* ---- the clock ---- */

static atomic_llong stepped_s;

/* In the place of libc's; the cluster's, too. Only the time of day can be set. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += (time_t)atomic_load(&stepped_s);
    return result;
}

START_TEST(the_clock_is_set)
{
    static const int steps_s[] = {86400, -86400, 3600, -30};
    const mqc_embedded_fault lose_one = {
        .kind = MQC_FAULT_LOSE, .request_code = SEND_MESSAGE_V2, .count = 1};
    begin();
    mqc_push_consumer *consumer = start_consumer();
    ok(send_one());
    await_consumed(0);
    for (size_t i = 0; i < sizeof steps_s / sizeof *steps_s; i++) {
        atomic_fetch_add(&stepped_s, steps_s[i]);
        ok(send_one());
        await_consumed(sent - 1);
        ok(mqc_embedded_add_fault(cluster, &lose_one, NULL, &error));
        ck_assert_int_eq(send_for(50), MQC_TIMEOUT); /* neither at once nor in a day */
    }
    mqc_push_consumer_free(consumer);
    end();
}
END_TEST

static Suite *suite(void)
{
    certificates_make();
    Suite *suite = suite_create("network");
    UNIT_CASE(suite, "cuts", requests_are_cut_at_every_byte, answers_are_cut_at_every_byte,
              handshakes_are_cut, a_consumer_gets_what_was_cut_off);
    UNIT_CASE(suite, "silence", nothing_comes_through_for_a_while,
              a_half_open_connection_is_given_up, nobody_is_there_for_a_while);
    UNIT_CASE(suite, "others", name_servers_come_and_go, the_clock_is_set);
    return suite;
}
TEST_MAIN(suite)
