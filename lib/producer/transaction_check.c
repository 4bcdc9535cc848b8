/* Answering the broker's checks (DefaultMQProducerImpl.checkTransactionState). They come on the
 * reading thread and wait in a bounded queue; one task of the callback executor at a time answers
 * them one after the other, so that a listener that blocks takes one callback thread and no more.
 * The task counts as a call inside the producer while it is there. */
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/producer/producer_private.h"
#include "lib/protocol/properties.h"

static bool wait_in_line(struct transactions *transactions, struct transaction_check *check,
                         bool *begin);
static void run(struct callback_task *task);
static struct transaction_check *next(struct transactions *transactions);
static void answer(struct mqc_producer *producer, struct transaction_check *check);
static mqc_transaction_state ask(struct mqc_producer *producer, struct transaction_check *check,
                                 const char **remark);
static int checks_of(const struct transaction_check *check);

void transaction_check_take(struct client_role *role, struct transaction_check *check)
{
    struct mqc_producer *producer = CONTAINER_OF(role, struct mqc_producer, role);
    bool begin = false;
    bool taken = producer_enter(producer, NULL) == MQC_OK;
    if (taken) {
        taken = wait_in_line(&producer->transactions, check, &begin);
        if (begin) /* inside until the line is empty */
            callback_executor_submit(client_instance_callbacks(producer->sender.instance),
                                     &producer->transactions.task);
        else
            producer_leave(producer);
    }
    if (taken) return;
    log_warn(LOG_PRODUCER, "check of a transaction dropped, the broker asks again group=%s id=%s",
             role->group, check->transaction_id);
    transaction_check_free(check);
}

void transaction_checks_cancel(struct mqc_producer *producer)
{
    for (struct transaction_check *check; (check = next(&producer->transactions));)
        transaction_check_free(check);
}

static bool wait_in_line(struct transactions *transactions, struct transaction_check *check,
                         bool *begin)
{
    lock_take(&transactions->lock);
    bool room = transactions->check_count < TRANSACTION_CHECKS_MOST;
    if (room) {
        list_append(&transactions->checks, &check->link);
        transactions->check_count++;
        *begin = !transactions->checking;
        transactions->checking = true;
        if (*begin) transactions->task.run = run;
    }
    lock_release(&transactions->lock);
    return room;
}

/* One check, then the next in a task anew: other callbacks get their turn between them. */
static void run(struct callback_task *task)
{
    struct transactions *transactions = CONTAINER_OF(task, struct transactions, task);
    struct mqc_producer *producer = CONTAINER_OF(transactions, struct mqc_producer, transactions);
    struct transaction_check *check = next(transactions);
    if (check) answer(producer, check);
    transaction_check_free(check);
    lock_take(&transactions->lock);
    bool more = transactions->checking = transactions->check_count > 0;
    lock_release(&transactions->lock);
    if (more)
        callback_executor_submit(client_instance_callbacks(producer->sender.instance), task);
    else
        producer_leave(producer); /* which may be gone now */
}

static struct transaction_check *next(struct transactions *transactions)
{
    lock_take(&transactions->lock);
    struct link *link = list_take_first(&transactions->checks);
    if (link) transactions->check_count--;
    lock_release(&transactions->lock);
    return link ? CONTAINER_OF(link, struct transaction_check, link) : NULL;
}

static void answer(struct mqc_producer *producer, struct transaction_check *check)
{
    struct transactions *transactions = &producer->transactions;
    const char *remark = NULL;
    mqc_transaction_state state;
    bool recalled = transaction_recall(transactions, check, &state);
    if (!recalled) state = ask(producer, check, &remark);
    struct half_place place = {.table_offset = check->table_offset,
                               .commit_log_offset = check->commit_log_offset};
    memcpy(place.address, check->address, sizeof place.address);
    struct transaction_end end = {.place = &place,
                                  .message = check->message,
                                  .topic = check->topic,
                                  .broker_name = check->broker_name,
                                  .message_id = check->message_id,
                                  .transaction_id = check->transaction_id,
                                  .state = state,
                                  .from_check = true,
                                  .remark = remark};
    mqc_error error;
    mqc_status status =
        transaction_end_tell(&producer->sender, &end,
                             client_instance_request_deadline(producer->sender.instance), &error);
    if (state != MQC_TRANSACTION_UNKNOWN)
        transaction_answered(transactions, check->transaction_id, state, status == MQC_OK);
    log_info(LOG_PRODUCER, "transaction checked id=%s checks=%d answer=%s by=%s%s%s",
             check->transaction_id, checks_of(check), transaction_state_name(state),
             recalled ? "memory" : "listener",
             status == MQC_OK ? "" : " not acknowledged: ", status == MQC_OK ? "" : error.text);
}

/* Asks the application; whatever is no clear answer is none. */
static mqc_transaction_state ask(struct mqc_producer *producer, struct transaction_check *check,
                                 const char **remark)
{
    const struct transactions *transactions = &producer->transactions;
    if (!transactions->check) {
        log_warn(LOG_PRODUCER,
                 "check of a transaction, but the producer has no check listener "
                 "(mqc_producer_on_check) group=%s id=%s",
                 producer->options.group, check->transaction_id);
        *remark = "the producer has no check listener";
        return MQC_TRANSACTION_UNKNOWN;
    }
    mqc_error error;
    if (message_inflate(check->message, true, &error) != MQC_OK) {
        log_warn(LOG_PRODUCER, "check of a transaction whose message is damaged id=%s: %s",
                 check->transaction_id, error.text);
        *remark = "the half message is damaged";
        return MQC_TRANSACTION_UNKNOWN;
    }
    check->message->broker_name =
        intern_name(producer->sender.names, slice_text(check->broker_name));
    mqc_transaction asked = {
        .id = check->transaction_id, .message = check->message, .checks = checks_of(check)};
    mqc_transaction_state state = transactions->check(&asked, transactions->check_arg);
    if (state == MQC_TRANSACTION_COMMIT || state == MQC_TRANSACTION_ROLLBACK) return state;
    return MQC_TRANSACTION_UNKNOWN;
}

static int checks_of(const struct transaction_check *check)
{
    int32_t checks = 0;
    struct slice text = message_property(check->message, PROPERTY_TRANSACTION_CHECKS);
    if (!text.data || !slice_to_int32(text, &checks) || checks < 1) checks = 1;
    return checks;
}
