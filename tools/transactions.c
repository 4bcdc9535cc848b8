/* Sending in transactions. Checks are answered on a callback thread of the library; the main thread
 * waits for them under the lock. */
#include "tools/transactions.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/mqc.h"
#include "tools/output.h"

enum { DEFAULT_TIMEOUT_S = 120 };

/* A transaction of ours that the broker has to ask about. */
struct undecided {
    struct undecided *next;
    char id[64];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list */
static pthread_cond_t changed;
static struct undecided *undecided;

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
    if (transactions->timeout_s && !check)
        return usage_error(command, "--timeout goes with --check; the time of a send is "
                                    "-X sendMsgTimeout=MS");
    if (!state) return -1;
    int code = read_state("--transaction", state, &transactions->execute_says);
    if (code < 0) code = read_state("--check", check ? check : state, &transactions->check_says);
    return code;
}

static mqc_transaction_state execute(const mqc_transaction *transaction, void *arg)
{
    const struct transactions *transactions = arg;
    if (transactions->execute_says != MQC_TRANSACTION_UNKNOWN) return transactions->execute_says;
    struct undecided *mine = calloc(1, sizeof *mine);
    if (!mine) return MQC_TRANSACTION_ROLLBACK;
    snprintf(mine->id, sizeof mine->id, "%s", transaction->id);
    pthread_mutex_lock(&lock);
    mine->next = undecided;
    undecided = mine;
    pthread_mutex_unlock(&lock);
    return MQC_TRANSACTION_UNKNOWN;
}

/* Also about what others of the group have left, which nobody here waits for. */

static mqc_transaction_state answer(const mqc_transaction *transaction, void *arg)
{
    const struct transactions *transactions = arg;
    pthread_mutex_lock(&lock);
    for (struct undecided **place = &undecided; *place; place = &(*place)->next) {
        struct undecided *mine = *place;
        if (strcmp(mine->id, transaction->id) != 0) continue;
        *place = mine->next;
        free(mine);
        pthread_cond_signal(&changed);
        break;
    }
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
    return transactions->quiet ? EXIT_DONE : print(transactions, &result);
}

int transactions_wait(struct transactions *transactions)
{
    if (!transactions->check) return EXIT_DONE;
    int timeout_s = transactions->timeout_s > 0 ? transactions->timeout_s : DEFAULT_TIMEOUT_S;
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_s;
    int waited = 0, left = 0;
    pthread_mutex_lock(&lock);
    while (undecided && waited == 0) waited = pthread_cond_timedwait(&changed, &lock, &deadline);
    for (const struct undecided *mine = undecided; mine; mine = mine->next) left++;
    pthread_mutex_unlock(&lock);
    if (left == 0) return EXIT_DONE;
    failure(NAME, "the broker has not asked about %d transaction%s in %d s", left,
            left > 1 ? "s" : "", timeout_s);
    return EXIT_TIMEOUT;
}
