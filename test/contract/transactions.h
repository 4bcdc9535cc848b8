/* What the tests of transactions share: listeners that note what they are asked and answer as they
 * are told, and producers that use them. */
#ifndef CONTRACT_TRANSACTIONS_H
#define CONTRACT_TRANSACTIONS_H

#include <pthread.h>

#include "test/contract/collector.h"

enum { JUDGE_ANSWERS = 4 };

/* A listener's memory; for the check and for the local transaction alike. */
struct judge {
    mqc_transaction_state answers[JUDGE_ANSWERS]; /* the last one again and again */
    int answer_count;
    void (*meanwhile)(const mqc_transaction *transaction, void *arg); /* before it answers */
    void *meanwhile_arg;
    pthread_mutex_t lock; /* guards what follows */
    int calls;
    int checks; /* as the last call was told */
    char id[64], body[64], tag[64];
    pthread_t thread;
};

/* JUDGE(MQC_TRANSACTION_UNKNOWN, MQC_TRANSACTION_COMMIT) */
#define JUDGE(...)                                                                                 \
    {                                                                                              \
        .answers = {__VA_ARGS__},                                                                  \
        .answer_count =                                                                            \
            (int)(sizeof((mqc_transaction_state[]){__VA_ARGS__}) / sizeof(mqc_transaction_state)), \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                          \
    }

mqc_transaction_listener judge_listen; /* the judge is its arg */
int judge_calls(struct judge *judge);

/* Waits until the judge has been asked so often. */
void judge_await(struct judge *judge, int calls);

/* A started producer that the brokers of the topic can ask. `check` may be NULL: no listener. */
mqc_producer *transactions_producer(const char *group, const char *topic, struct judge *check);

/* Sends a text in a transaction that must succeed. */
mqc_transaction_result transactions_send(mqc_producer *producer, const char *topic,
                                         const char *body, struct judge *execute);
mqc_message *transactions_message(const char *topic, const char *body);

/* The broker's next round of checks comes now, where the test has the clock. */
void transactions_checks_due(void);

/* Commits one more message after a round of checks: when it is there, everything that was due
 * before it has been done. */
void transactions_await_marker(const char *topic, struct collector *collector);

/* Keeps the log's lines of this level and above. */
void transactions_watch_log(mqc_log_level level);
bool transactions_log_says(const char *part, const char *other_part); /* in one line */
void transactions_await_log(const char *part, const char *other_part);

#endif
