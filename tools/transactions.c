/* Sending in transactions. Checks are answered on a callback thread of the library; the main thread
 * waits for them under the lock. */
#include "tools/transactions.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/mqc.h"
#include "tools/output.h"

enum { DEFAULT_TIMEOUT_S = 120 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `answered` */
static pthread_cond_t changed;
static int answered;

static const char NAME[] = "send";
static const char *const STATES[] = {"unknown", "commit", "rollback"};

static int read_state(const char *option, const char *text, mqc_transaction_state *state)
{
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, STATES[i]) != 0) continue;
        *state = (mqc_transaction_state)i;
        return -1;
    }
    return usage_error(NAME, "%s is \"%s\": give commit, rollback or unknown", option, text);
}

int transactions_check(const char *command, struct transactions *transactions)
{
    const char *state = transactions->state, *check = transactions->check;
    if (!state && check) return usage_error(command, "--check goes with --transaction");
    if (!state) return -1;
    int code = read_state("--transaction", state, &transactions->execute_says);
    if (code < 0) code = read_state("--check", check ? check : state, &transactions->check_says);
    return code;
}

static mqc_transaction_state execute(const mqc_transaction *transaction, void *arg)
{
    const struct transactions *transactions = arg;
    (void)transaction;
    return transactions->execute_says;
}

static mqc_transaction_state answer(const mqc_transaction *transaction, void *arg)
{
    const struct transactions *transactions = arg;
    (void)transaction;
    pthread_mutex_lock(&lock);
    answered++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return transactions->check_says;
}

mqc_status transactions_begin(struct transactions *transactions, mqc_producer *producer,
                              mqc_error *error)
{
    if (!transactions->state) return MQC_OK;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    pthread_condattr_destroy(&attributes);
    transactions->producer = producer;
    return mqc_producer_on_check(producer, answer, transactions, error);
}

static int print(const struct transactions *transactions, const mqc_transaction_result *result)
{
    const mqc_send_result *half = &result->half;
    const char *state = STATES[result->state];
    bool printed;
    if (transactions->json)
        printed = output_json(json_pack("{s:s, s:s, s:o, s:i, s:s}", "msgId", half->message_id,
                                        "topic", half->queue.topic, "brokerName",
                                        json_text(half->queue.broker_name), "queueId",
                                        half->queue.queue_id, "transaction", state));
    else
        printed = printf("%s %s/%d %s\n", half->message_id, half->queue.broker_name,
                         half->queue.queue_id, state) >= 0 &&
                  fflush(stdout) == 0;
    return printed ? EXIT_DONE : output_failure(NAME);
}

int transactions_send(struct transactions *transactions, const mqc_message *message,
                      const char *context)
{
    mqc_error error;
    mqc_transaction_result result;
    mqc_status status = mqc_producer_send_transaction(transactions->producer, message, NULL,
                                                      execute, transactions, &result, &error);
    if (status) return library_failure(NAME, context, &error);
    transactions->undecided += result.state == MQC_TRANSACTION_UNKNOWN;
    return transactions->quiet ? EXIT_DONE : print(transactions, &result);
}

int transactions_wait(struct transactions *transactions)
{
    if (!transactions->check || transactions->undecided == 0) return EXIT_DONE;
    int timeout_s = transactions->timeout_s > 0 ? transactions->timeout_s : DEFAULT_TIMEOUT_S;
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_s;
    int waited = 0;
    pthread_mutex_lock(&lock);
    while (answered < transactions->undecided && waited == 0)
        waited = pthread_cond_timedwait(&changed, &lock, &deadline);
    int count = answered;
    pthread_mutex_unlock(&lock);
    if (count >= transactions->undecided) return EXIT_DONE;
    failure(NAME, "the broker has asked about %d of %d transactions in %d s", count,
            transactions->undecided, timeout_s);
    return EXIT_TIMEOUT;
}
