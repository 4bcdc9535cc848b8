/* What the contract tests share. Each behaviour is written once, through the public API alone, and
 * runs against the cluster that the environment names, or without one against an embedded cluster
 * that is started for each test:
 *
 *   MQC_CONTRACT_NAMESRV                        name servers of a running cluster
 *   MQC_CONTRACT_TLS_CA, _TLS_CERT, _TLS_KEY    PEM files, for a cluster that speaks TLS
 *   MQC_CONTRACT_ACCESS_KEY, _SECRET_KEY        for a cluster that wants signatures
 *   MQC_CONTRACT_CLUSTER, _CLUSTER_TOOL         its name, and test/broker/cluster, which can take
 * its brokers down: CONTRACT_CLUSTER_MAIN needs them
 *
 * All functions are for the test's own thread unless said otherwise and fail the test themselves.
 */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <check.h>
#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>
#include <string.h>

/* For whatever is waited for: no test depends on how fast the machine is. */
enum { CONTRACT_WAIT_MS = 60000 };

/* The whole program: CONTRACT_MAIN("send", test_a, test_b). Every test runs in a process of its
 * own with the cluster up. */
int contract_run(const char *name, const TTest *const *tests, int count);
#define CONTRACT_MAIN(name, ...)                                                                   \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return contract_run(name, tests, (int)(sizeof tests / sizeof *tests));                     \
    }

/* The same for tests that need a cluster of a kind, and take its brokers down: `with` says what an
 * embedded one is like. A real one is only right when the environment names its tool; the suites
 * that set it up so call the program, the others pass it over. */
int contract_cluster_run(const char *name, const mqc_embedded_options *with,
                         const TTest *const *tests, int count);
#define CONTRACT_CLUSTER_MAIN(name, with, ...)                                                     \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return contract_cluster_run(name, with, tests, (int)(sizeof tests / sizeof *tests));       \
    }
/* As mqc_embedded_broker_down, with the same numbers; a real one is killed. */
void contract_broker_down(int broker);
void contract_broker_up(int broker); /* and registered, when this returns */

/* Of a call that ends with `&error` of this name: the caller has `mqc_error error`. */
#define ck_ok(call)                                                                                \
    do {                                                                                           \
        mqc_status ck_status_ = (call);                                                            \
        ck_assert_msg(ck_status_ == MQC_OK, "%s: %s: %s", #call, mqc_status_name(ck_status_),      \
                      error.text);                                                                 \
    } while (0)

/* The call fails with this status, says the same in `error`, and its text has all of these parts:
 * ck_fails(call, MQC_BAD_ARGUMENT, "producerGroup", "allowed"). */
#define ck_fails(call, expected, ...)                                                              \
    do {                                                                                           \
        memset(&error, 0, sizeof error);                                                           \
        mqc_status ck_status_ = (call);                                                            \
        contract_failed(#call, ck_status_, (expected), &error,                                     \
                        (const char *const[]){__VA_ARGS__, NULL});                                 \
    } while (0)
void contract_failed(const char *call, mqc_status actual, mqc_status expected,
                     const mqc_error *error, const char *const *parts);

/* ---- the cluster ---- */

mqc_embedded *contract_embedded(void);       /* NULL: the cluster is a real one */
mqc_client_options contract_client(void);    /* how to reach it; to be changed as a test needs */
const char *contract_name(const char *what); /* a name nobody has used yet, kept until the end */

/* Creates a topic with so many queues, of a name of its own. */
const char *contract_topic(int queues);

/* Waits until the name server knows a topic that a broker makes by itself. */
void contract_await_topic(const char *topic);

/* One queue of a topic on the topic's first broker. */
mqc_message_queue contract_queue(const char *topic, int queue_id);

/* ---- producers ---- */

/* A started producer of a group of its own; `client` may be NULL. End it with mqc_producer_free. */
mqc_producer *contract_producer(const mqc_client_options *client);

/* Sends a text; the producer chooses the queue, or it is given. */
mqc_send_result contract_send(mqc_producer *producer, const char *topic, const char *body);
mqc_send_result contract_send_to(mqc_producer *producer, const mqc_message_queue *queue,
                                 const char *body);
mqc_send_result contract_send_tagged(mqc_producer *producer, const char *topic, const char *tag,
                                     const char *body);
/* Sends `count` messages "<prefix>0", "<prefix>1", … */
void contract_send_many(mqc_producer *producer, const char *topic, const char *prefix, int count);

/* ---- consumers ---- */

/* A started consumer; without a client the cluster's, `topic` NULL for no subscription. */
mqc_push_consumer *contract_consumer(const mqc_push_consumer_options *options, const char *topic,
                                     const char *filter);
/* Shuts down with a generous drain, so that all is committed, and frees. */
void contract_consumer_end(mqc_push_consumer *consumer);

/* ---- others ---- */

bool contract_text_is(const mqc_message *message, const char *body);
int64_t contract_unix_ms(void);

/* Lets time pass at the brokers: at once on an embedded cluster; a real one has its own. */
void contract_pass(int64_t ms);

/* From here on time at an embedded cluster passes ten times as fast while the test waits: for what
 * is delayed there. Whoever waits does so in slices and lets time pass after each. */
void contract_hurry(void);
int contract_slice_ms(void); /* CONTRACT_WAIT_MS without hurry */
void contract_slice_over(void);

/* Calls `holds` until it answers true; for what gives no sign when it changes. */
typedef bool contract_condition(void *arg);
void contract_await(const char *what, contract_condition *holds, void *arg);

#endif
