/* Who is trusted and who gets in, by clients as applications have them: TLS settings of each
 * client, certificates that are replaced, keys that change. */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

#include "test/unit/net/certificates.h"
#include "test/unit/unit.h"

static mqc_embedded *cluster;
static mqc_error error;

#define ok(call) ck_assert_msg((call) == MQC_OK, "%s: %s", #call, error.text)

/* Everything that is logged at any level. */
static char logged[1 << 20];
static atomic_size_t logged_bytes;

static void keep_line(const mqc_log_line *line, void *arg)
{
    (void)arg;
    size_t size = strlen(line->text) + 1, at = atomic_fetch_add(&logged_bytes, size);
    if (at + size < sizeof logged) memcpy(logged + at, line->text, size);
}

static bool was_logged(const char *text)
{
    return memmem(logged, sizeof logged, text, strlen(text)) != NULL;
}

static void begin(const mqc_embedded_options *options)
{
    cluster = mqc_embedded_start(options, &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    ok(mqc_embedded_create_topic(cluster, -1, "orders", 1, &error));
}

static void begin_tls(const char *client_ca)
{
    begin(&(mqc_embedded_options){.certificate_file = certificate_path("server.pem"),
                                  .key_file = certificate_path("server.key"),
                                  .client_ca_file = client_ca ? certificate_path(client_ca) : NULL,
                                  .tls_only = true});
}

static mqc_producer *start(mqc_client_options *client)
{
    client->name_servers = mqc_embedded_name_servers(cluster);
    mqc_producer_options options = {.client = client, .group = "p", .retries = -1};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    ok(mqc_producer_start(producer, &error));
    return producer;
}

static mqc_status send_one(mqc_producer *producer)
{
    mqc_message *message = mqc_message_new("orders", "body", 4);
    mqc_status status = mqc_producer_send(producer, message, NULL, NULL, &error);
    mqc_message_free(message);
    return status;
}

static void send_refused(mqc_producer *producer, const char *text)
{
    ck_assert_int_ne(send_one(producer), MQC_OK);
    ck_assert_msg(strstr(error.text, text) != NULL, "\"%s\" does not say \"%s\"", error.text, text);
}

/* What one client believes another does not, in one process. */
START_TEST(each_client_has_its_own_settings)
{
    begin_tls(NULL);
    mqc_client_options trusting = {.tls = {.enabled = true, .ca_file = certificate_path("ca.pem")}};
    mqc_client_options other = {
        .tls = {.enabled = true, .ca_file = certificate_path("wrong-ca.pem")}};
    mqc_client_options revoking = trusting, plain = {.trace = false};
    revoking.tls_crl_file = certificate_path("crl.pem");
    mqc_producer *producers[] = {start(&trusting), start(&other), start(&revoking), start(&plain)};
    ok(send_one(producers[0]));
    send_refused(producers[1], "certificate verify failed");
    ok(send_one(producers[2]));
    ck_assert_int_ne(send_one(producers[3]), MQC_OK); /* and nothing went out in plain text */
    ok(send_one(producers[0]));
    for (size_t i = 0; i < 4; i++) mqc_producer_free(producers[i]);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 3);
    mqc_embedded_stop(cluster);
}
END_TEST

START_TEST(a_plain_cluster_is_not_talked_to_in_plain_text)
{
    begin(NULL);
    mqc_client_options client = {.tls = {.enabled = true, .skip_verify = true}};
    mqc_producer *producer = start(&client);
    ck_assert_int_ne(send_one(producer), MQC_OK);
    mqc_producer_free(producer);
    ck_assert_int_eq(mqc_embedded_request_count(cluster, 0), 0);
    mqc_embedded_stop(cluster);
}
END_TEST

static void copy_file(const char *to, const char *from)
{
    char bytes[8192];
    FILE *in = fopen(certificate_path(from), "r"), *out = fopen(certificate_path(to), "w");
    ck_assert(in && out);
    size_t size = fread(bytes, 1, sizeof bytes, in);
    ck_assert_uint_eq(fwrite(bytes, 1, size, out), size);
    fclose(in);
    fclose(out);
}

/* The same producer, before and after somebody has put the right authority in place. */
START_TEST(certificates_are_replaced_without_a_restart)
{
    begin_tls(NULL);
    copy_file("used-ca.pem", "wrong-ca.pem");
    mqc_client_options client = {
        .tls = {.enabled = true, .ca_file = certificate_path("used-ca.pem")}};
    mqc_producer *producer = start(&client);
    send_refused(producer, "certificate verify failed");
    copy_file("used-ca.pem", "ca.pem");
    ok(send_one(producer));
    mqc_producer_free(producer);
    mqc_embedded_stop(cluster);
}
END_TEST

static char *read_text(const char *name, char *text, size_t size)
{
    FILE *file = fopen(certificate_path(name), "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Keys and passwords given as texts: they work, and are in no line of the log, at any level. */
START_TEST(secrets_are_not_logged)
{
    char ca[4096], certificate[4096], key[4096], part[33];
    mqc_log_to(keep_line, NULL, MQC_LOG_WIRE);
    begin_tls("ca.pem");
    mqc_client_options client = {
        .tls = {.enabled = true,
                .ca_file = read_text("ca.pem", ca, sizeof ca),
                .certificate_file = read_text("client.pem", certificate, sizeof certificate),
                .key_file = read_text("client-encrypted.key", key, sizeof key),
                .key_password = CERTIFICATES_PASSWORD},
        .access_key = "somebody",
        .secret_key = "very secret indeed"};
    mqc_producer *producer = start(&client);
    ok(send_one(producer));
    mqc_producer_free(producer);
    mqc_embedded_stop(cluster);
    snprintf(part, sizeof part, "%s", strchr(key, '\n') + 1);
    mqc_log_to(NULL, NULL, MQC_LOG_WARN);
    ck_assert(was_logged(" <- ")); /* else nothing was looked at */
    ck_assert(!was_logged(part));
    ck_assert(!was_logged(CERTIFICATES_PASSWORD));
    ck_assert(!was_logged("very secret indeed"));
}
END_TEST

/* ---- keys that change ---- */

enum { NO_KEYS, WRONG_KEY, FIRST_KEYS, SECOND_KEYS, HALF_KEYS, ENDLESS_KEY };

static atomic_int keys;

static bool give_keys(mqc_credentials *credentials, void *arg)
{
    (void)arg;
    static const char *const secrets[] = {"", "wrong secret", "first secret", "second secret", ""};
    int now = atomic_load(&keys);
    if (now == NO_KEYS) return false;
    if (now == ENDLESS_KEY) {
        memset(credentials->access_key, 'x', sizeof credentials->access_key);
        return true;
    }
    strcpy(credentials->access_key, now == SECOND_KEYS ? "second" : "first");
    strcpy(credentials->secret_key, secrets[now]);
    return true;
}

static mqc_client_options changing_keys(void)
{
    static const mqc_embedded_user users[] = {{"first", "first secret"},
                                              {"second", "second secret"}};
    begin(&(mqc_embedded_options){.users = users, .user_count = 2});
    return (mqc_client_options){.get_credentials = give_keys};
}

START_TEST(keys_may_change_while_clients_live)
{
    mqc_client_options client = changing_keys();
    atomic_store(&keys, FIRST_KEYS);
    mqc_producer *producer = start(&client);
    ok(send_one(producer));
    atomic_store(&keys, WRONG_KEY);
    send_refused(producer, "check signature failed");
    atomic_store(&keys, SECOND_KEYS);
    ok(send_one(producer));
    atomic_store(&keys, NO_KEYS);
    send_refused(producer, "get_credentials gave none");
    ck_assert(error.retryable);
    atomic_store(&keys, HALF_KEYS);
    send_refused(producer, "without a secret key");
    atomic_store(&keys, ENDLESS_KEY);
    send_refused(producer, "without its zero byte");
    atomic_store(&keys, FIRST_KEYS);
    ok(send_one(producer));
    mqc_producer_free(producer);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 3);
    mqc_embedded_stop(cluster);
}
END_TEST

static atomic_int consumed;

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    atomic_fetch_add(&consumed, (int)mqc_delivery_count(delivery));
    return MQC_CONSUME_SUCCESS;
}

/* A consumer asks for keys on its own threads, and goes on when they are good again. */
START_TEST(consumers_get_through_a_time_without_keys)
{
    mqc_client_options client = changing_keys();
    atomic_store(&keys, FIRST_KEYS);
    mqc_producer *producer = start(&client);
    mqc_push_consumer_options options = {
        .client = &client, .group = "g", .listener = take, .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_ptr_nonnull(consumer);
    ok(mqc_push_consumer_subscribe(consumer, "orders", "*", &error));
    ok(mqc_push_consumer_start(consumer, &error));
    ok(send_one(producer));
    while (atomic_load(&consumed) < 1) poll(NULL, 0, 1);
    atomic_store(&keys, NO_KEYS);
    mqc_embedded_disconnect(cluster, NULL);
    ck_assert_int_ne(send_one(producer), MQC_OK);
    atomic_store(&keys, SECOND_KEYS);
    while (send_one(producer) != MQC_OK) poll(NULL, 0, 1); /* the old connection ends some time */
    while (atomic_load(&consumed) < 2) poll(NULL, 0, 1);
    mqc_push_consumer_free(consumer);
    mqc_producer_free(producer);
    mqc_embedded_stop(cluster);
}
END_TEST

static Suite *suite(void)
{
    certificates_make();
    Suite *suite = suite_create("security");
    UNIT_CASE(suite, "tls", each_client_has_its_own_settings,
              a_plain_cluster_is_not_talked_to_in_plain_text,
              certificates_are_replaced_without_a_restart, secrets_are_not_logged);
    UNIT_CASE(suite, "keys", keys_may_change_while_clients_live,
              consumers_get_through_a_time_without_keys);
    return suite;
}
TEST_MAIN(suite)
