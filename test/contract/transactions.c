/* See transactions.h. */
#include "test/contract/transactions.h"

#include <stdio.h>
#include <stdlib.h>

/* Message time: the first check comes after 6 s, the next ones every 30 s. */
enum { ROUND_MS = 31000, HEART_BEAT = 34, LOG_ROOM = 1 << 20 };

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[LOG_ROOM];
static size_t log_used;

mqc_transaction_state judge_listen(const mqc_transaction *transaction, void *arg)
{
    struct judge *judge = arg;
    mqc_view body = mqc_message_body(transaction->message);
    const char *tag = mqc_message_tag(transaction->message);
    if (judge->meanwhile) judge->meanwhile(transaction, judge->meanwhile_arg);
    pthread_mutex_lock(&judge->lock);
    int turn = judge->calls++;
    judge->checks = transaction->checks;
    judge->thread = pthread_self();
    snprintf(judge->id, sizeof judge->id, "%s", transaction->id);
    snprintf(judge->body, sizeof judge->body, "%.*s", (int)body.size, (const char *)body.data);
    snprintf(judge->tag, sizeof judge->tag, "%s", tag ? tag : "");
    pthread_mutex_unlock(&judge->lock);
    return judge->answers[turn < judge->answer_count ? turn : judge->answer_count - 1];
}

int judge_calls(struct judge *judge)
{
    pthread_mutex_lock(&judge->lock);
    int calls = judge->calls;
    pthread_mutex_unlock(&judge->lock);
    return calls;
}

struct expected_calls {
    struct judge *judge;
    int calls;
};

static bool was_asked(void *arg)
{
    struct expected_calls *expected = arg;
    return judge_calls(expected->judge) >= expected->calls;
}

void judge_await(struct judge *judge, int calls)
{
    struct expected_calls expected = {judge, calls};
    contract_await("a listener's call", was_asked, &expected);
}

mqc_producer *transactions_producer(const char *group, const char *topic, struct judge *check)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_producer_options options = {
        .client = &client, .group = group, .topics = topic, .send_timeout_ms = CONTRACT_WAIT_MS};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_assert_msg(producer != NULL, "mqc_producer_new: %s", error.text);
    if (check) ck_ok(mqc_producer_on_check(producer, judge_listen, check, &error));
    ck_ok(mqc_producer_start(producer, &error));
    return producer;
}

mqc_message *transactions_message(const char *topic, const char *body)
{
    mqc_message *message = mqc_message_new(topic, body, strlen(body));
    ck_assert_ptr_nonnull(message);
    return message;
}

mqc_transaction_result transactions_send(mqc_producer *producer, const char *topic,
                                         const char *body, struct judge *execute)
{
    mqc_error error;
    mqc_transaction_result result;
    mqc_message *message = transactions_message(topic, body);
    ck_ok(mqc_producer_send_transaction(producer, message, NULL, judge_listen, execute, &result,
                                        &error));
    ck_assert(result.executed);
    ck_assert_int_eq(result.half.status, MQC_SEND_OK);
    mqc_message_free(message);
    return result;
}

void transactions_checks_due(void)
{
    if (contract_embedded()) mqc_embedded_advance_clock(contract_embedded(), ROUND_MS);
}

void transactions_await_marker(const char *topic, struct collector *collector)
{
    static int number;
    char body[32];
    snprintf(body, sizeof body, "marker %d", number++);
    struct judge unknown = JUDGE(MQC_TRANSACTION_UNKNOWN);
    struct judge commit = JUDGE(MQC_TRANSACTION_COMMIT);
    mqc_producer *producer = transactions_producer(contract_name("markers"), topic, &commit);
    transactions_send(producer, topic, body, &unknown);
    transactions_checks_due();
    collector_await_body(collector, body);
    mqc_producer_free(producer);
}

static void keep_line(const mqc_log_line *line, void *arg)
{
    (void)arg;
    pthread_mutex_lock(&log_lock);
    size_t size = strlen(line->text);
    if (log_used + size + 2 < LOG_ROOM) {
        memcpy(log_text + log_used, line->text, size);
        log_used += size;
        log_text[log_used++] = '\n';
        log_text[log_used] = '\0';
    }
    pthread_mutex_unlock(&log_lock);
}

void transactions_watch_log(mqc_log_level level)
{
    mqc_log_to(keep_line, NULL, level);
}

/* Some line has both parts. */
static bool log_says(void *arg)
{
    const char *const *parts = arg;
    bool found = false;
    pthread_mutex_lock(&log_lock);
    for (const char *at = log_text; !found && (at = strstr(at, parts[0])); at++) {
        const char *begin = at;
        while (begin > log_text && begin[-1] != '\n') begin--;
        const char *end = strchr(at, '\n');
        found = memmem(begin, (size_t)(end - begin), parts[1], strlen(parts[1])) != NULL;
    }
    pthread_mutex_unlock(&log_lock);
    return found;
}

bool transactions_log_says(const char *part, const char *other_part)
{
    const char *parts[] = {part, other_part};
    return log_says(parts);
}

void transactions_await_log(const char *part, const char *other_part)
{
    const char *parts[] = {part, other_part};
    contract_await(other_part, log_says, parts);
}
