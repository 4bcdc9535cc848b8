/* The VIP channel: sends go to the brokers' port less two, where nothing else queues up before
 * them, and all other requests to the port itself. On the embedded cluster the brokers are said to
 * be two ports above where they are: what finds them has used the VIP channel. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/admins.h"
#include "test/contract/outcomes.h"

enum { HEART_BEAT = 34, SEND_MESSAGE_V2 = 310, SEND_BATCH = 320 };

/* Where requests went, by what their hook saw. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int heartbeat_port, send_port, batch_port;

static mqc_status see(mqc_rpc *rpc, void *arg, mqc_error *error)
{
    (void)arg, (void)error;
    int code = mqc_rpc_code(rpc), port = atoi(strrchr(mqc_rpc_address(rpc), ':') + 1);
    pthread_mutex_lock(&lock);
    if (code == HEART_BEAT) heartbeat_port = port;
    if (code == SEND_MESSAGE_V2) send_port = port;
    if (code == SEND_BATCH) batch_port = port;
    pthread_mutex_unlock(&lock);
    return MQC_OK;
}

static bool all_seen(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    bool seen = heartbeat_port && send_port && batch_port;
    pthread_mutex_unlock(&lock);
    return seen;
}

static bool two_above(const char *broker_name, int64_t broker_id, const char *advertised, char *out,
                      size_t out_bytes, void *arg)
{
    (void)broker_name, (void)broker_id, (void)arg;
    const char *port = strrchr(advertised, ':') + 1;
    snprintf(out, out_bytes, "%.*s%d", (int)(port - advertised), advertised, atoi(port) + 2);
    return true;
}

START_TEST(test_sends_and_only_sends)
{
    static const mqc_rpc_hook hook = {.before = see};
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_client_options client = contract_client();
    client.vip_channel = true;
    client.rpc_hooks = &hook;
    client.rpc_hook_count = 1;
    if (contract_embedded()) client.map_address = two_above;
    mqc_producer *producer = contract_producer(&client);
    struct outcomes *outcomes = outcomes_new(1);
    contract_send(producer, topic, "synchronous");
    send_numbered(producer, topic, outcomes, 0, NULL);
    outcomes_await(outcomes, 1);
    ck_assert_msg(outcome_of(outcomes, 0)->accepted, "%s", outcome_of(outcomes, 0)->error.text);
    mqc_message *message = mqc_message_new(topic, "oneway or in a batch", 20);
    const mqc_message *const messages[] = {message, message};
    ck_ok(mqc_producer_send_oneway(producer, message, NULL, &error));
    ck_ok(mqc_producer_send_batch(producer, messages, 2, NULL, NULL, &error));
    contract_await("a heartbeat and sends", all_seen, NULL);
    ck_assert_int_eq(send_port, heartbeat_port - 2);
    ck_assert_int_eq(batch_port, heartbeat_port - 2);
    mqc_admin *admin = admins_new();
    admins_await_messages(admin, topic, 5);
    mqc_admin_free(admin);
    mqc_message_free(message);
    mqc_producer_free(producer);
    outcomes_free(outcomes);
}
END_TEST

CONTRACT_MAIN("vip", test_sends_and_only_sends)
