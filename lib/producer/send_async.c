/* Sends that nobody waits for: asynchronous with a callback (DefaultMQProducerImpl.sendDefaultImpl,
 * MQClientAPIImpl.sendMessageAsync) and oneway, and the public calls of all three kinds.
 *
 * An asynchronous send keeps the message by reference (topic and body of a message never change)
 * and a copy of its properties (they may), so that a retry costs no copy of the body. Its answer
 * comes on the reading thread, its callback runs on the callback executor. Whoever moves `phase`
 * away from PHASE_WAITING owns the outcome: the answer, or the shutdown that cancels the send; the
 * answer to a cancelled send may come when the producer is gone and touches the record alone. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/base/reference.h"
#include "lib/producer/message_check.h"
#include "lib/producer/producer_private.h"
#include "lib/producer/send_trail.h"

enum { SPARE_SENDS = 1024 };

enum phase { PHASE_WAITING, PHASE_OWNED };

struct async_send {
    struct link link; /* in the producer's list of sends, or of spare ones */
    struct callback_task task;
    struct reference references; /* one until called back, one a call under way, one a caller */
    atomic_int phase;
    struct mqc_producer *producer;
    mqc_message *message;
    struct send_content content;
    struct send_place place;
    int64_t deadline_ms;
    int attempts_left;
    bool moved_on; /* called again after GO_AWAY */
    struct send_trail trail;
    mqc_sent *done;
    void *arg;
    mqc_send_result result;
    mqc_error error; /* status MQC_OK with a result */
};

static mqc_status send_async(struct mqc_producer *producer, const mqc_message *message,
                             const mqc_send_options *options, mqc_sent *done, void *arg,
                             mqc_error *error);
static mqc_status send_oneway(struct sender *sender, const mqc_message *message,
                              const mqc_send_options *options, int64_t deadline_ms,
                              mqc_error *error);
static struct async_send *send_take(struct mqc_producer *producer);
static void send_empty(struct async_send *send);
static void send_unref(struct async_send *send);
static void enlist(struct async_send *send);
static void delist(struct async_send *send);
static bool own(struct async_send *send);
static mqc_status call(struct async_send *send, mqc_error *error);
static mqc_status first_call(struct async_send *send, const mqc_send_options *options,
                             mqc_error *error);
static bool call_again(struct async_send *send, const mqc_error *why);
static bool may_call_again(const struct async_send *send, const mqc_error *failure);
static mqc_status next_place(struct async_send *send, mqc_error *failure);
static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg);
static bool read_answer(struct async_send *send, const struct remoting_command *answer);
static void deliver(struct callback_task *task);

mqc_status mqc_producer_send(mqc_producer *producer, const mqc_message *message,
                             const mqc_send_options *options, mqc_send_result *result,
                             mqc_error *error)
{
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    status = sender_send(&producer->sender, message, options, producer->options.retries,
                         producer_deadline(producer, options), result, error);
    producer_leave(producer);
    return status;
}

mqc_status mqc_producer_send_async(mqc_producer *producer, const mqc_message *message,
                                   const mqc_send_options *options, mqc_sent *done, void *arg,
                                   mqc_error *error)
{
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    status = message_check(message, producer->sender.max_message_bytes, error);
    if (status == MQC_OK) status = send_options_check(options, message, error);
    if (status == MQC_OK && !done)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "done is NULL: give the function that gets the result, or use "
                           "mqc_producer_send_oneway");
    if (status == MQC_OK) status = send_async(producer, message, options, done, arg, error);
    producer_leave(producer);
    return status;
}

mqc_status mqc_producer_send_oneway(mqc_producer *producer, const mqc_message *message,
                                    const mqc_send_options *options, mqc_error *error)
{
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    status = message_check(message, producer->sender.max_message_bytes, error);
    if (status == MQC_OK) status = send_options_check(options, message, error);
    if (status == MQC_OK)
        status = send_oneway(&producer->sender, message, options,
                             producer_deadline(producer, options), error);
    producer_leave(producer);
    return status;
}

void async_sends_cancel(struct mqc_producer *producer)
{
    struct link cancelled;
    list_init(&cancelled);
    lock_take(&producer->lock);
    LIST_EACH(&producer->sends, item)
    {
        struct async_send *send = CONTAINER_OF(item, struct async_send, link);
        if (own(send)) list_append(&cancelled, &send->task.link);
    }
    lock_release(&producer->lock);
    for (struct link *link; (link = list_take_first(&cancelled));) {
        struct callback_task *task = CONTAINER_OF(link, struct callback_task, link);
        struct async_send *send = CONTAINER_OF(task, struct async_send, task);
        error_set(&send->error, MQC_CANCELLED,
                  "the producer was shut down before the broker's answer came");
        error_mark_maybe_done(&send->error);
        callback_executor_submit(client_instance_callbacks(producer->sender.instance), task);
    }
}

void async_sends_free(struct mqc_producer *producer)
{
    for (struct link *link; (link = list_take_first(&producer->free_sends));)
        memory_free(CONTAINER_OF(link, struct async_send, link));
}

static mqc_status send_oneway(struct sender *sender, const mqc_message *message,
                              const mqc_send_options *options, int64_t deadline_ms,
                              mqc_error *error)
{
    struct send_place place;
    mqc_status status = sender_place(sender, message, options, NULL, deadline_ms, &place, error);
    if (status != MQC_OK) return status;
    struct send_content content;
    status = send_content_init(&content, message, error);
    if (status != MQC_OK) return status;
    struct send_message_header header;
    struct command_to_send request;
    send_request_make(&content, &sender->origin, &place.queue, &header, &request);
    status = remoting_client_call_oneway(client_instance_remoting(sender->instance), place.address,
                                         &request, deadline_ms, error);
    send_content_done(&content);
    return status;
}

static mqc_status send_async(struct mqc_producer *producer, const mqc_message *message,
                             const mqc_send_options *options, mqc_sent *done, void *arg,
                             mqc_error *error)
{
    struct async_send *send = send_take(producer);
    if (!send) return error_no_memory(error);
    mqc_status status = send_content_init(&send->content, message, error);
    if (status != MQC_OK) {
        memory_free(send);
        return status;
    }
    bool ordered = options && (options->queue || options->select);
    send->message = mqc_message_ref(message);
    send->deadline_ms = producer_deadline(producer, options);
    send->attempts_left = ordered ? 1 : 1 + producer->options.async_retries;
    send->moved_on = false;
    send_trail_begin(&send->trail);
    send->done = done;
    send->arg = arg;
    status = first_call(send, options, error);
    if (status != MQC_OK) send_unref(send); /* was for the callback */
    return status;
}

/* Until a call is under way: brokers to which none can even be begun are passed over. */
static mqc_status first_call(struct async_send *send, const mqc_send_options *options,
                             mqc_error *error)
{
    struct sender *sender = &send->producer->sender;
    const char *failed = NULL;
    mqc_error failure;
    mqc_status status;
    do {
        status = sender_place(sender, send->message, options, failed, send->deadline_ms,
                              &send->place, &failure);
        failed = send->place.queue.broker_name;
        send->attempts_left--;
        if (failed) send_trail_attempt(&send->trail, failed);
        if (status == MQC_OK) {
            reference_take(&send->references);
            enlist(send);
            status = call(send, &failure);
            if (status != MQC_OK) sender_learn(sender, &send->place, &failure);
            bool cancelled = status != MQC_OK && !own(send);
            if (cancelled)
                status = MQC_OK; /* its callback says so */
            else if (status != MQC_OK)
                delist(send);
            send_unref(send);
        }
    } while (status != MQC_OK && failed && sender_may_retry(&failure) && send->attempts_left > 0 &&
             clock_now_ms() < send->deadline_ms);
    return status == MQC_OK ? MQC_OK : send_trail_end(&send->trail, &failure, error);
}

/* A new attempt on another broker, on the reading thread: nothing here may wait. false: there is
 * none, and the send is still the caller's to deliver, with its error set. `why` may be its error.
 */
static bool call_again(struct async_send *send, const mqc_error *why)
{
    struct mqc_producer *producer = send->producer;
    mqc_error failure = *why;
    bool under_way = false, cancelled = false;
    producer_hold(producer); /* a cancelled send lets the producer go while this goes on */
    reference_take(&send->references);
    send_trail_failed(&send->trail, &failure);
    while (!under_way && !cancelled && may_call_again(send, &failure)) {
        mqc_status status = next_place(send, &failure);
        if (status != MQC_OK) continue;
        atomic_store(&send->phase, PHASE_WAITING);
        under_way = call(send, &failure) == MQC_OK;
        cancelled = !under_way && !own(send);
        if (!under_way) sender_learn(&producer->sender, &send->place, &failure);
    }
    bool settled = under_way || cancelled;
    if (!settled) send_trail_end(&send->trail, &failure, &send->error);
    send_unref(send);
    producer_leave(producer);
    return settled;
}

/* A broker that goes away asks for the same call on a new connection, once; that is not counted. */
static bool goes_away(const struct async_send *send, const mqc_error *failure)
{
    return failure->status == MQC_REFUSED && failure->broker_code == RESPONSE_GO_AWAY &&
           !send->moved_on;
}

static bool may_call_again(const struct async_send *send, const mqc_error *failure)
{
    return clock_now_ms() < send->deadline_ms &&
           (goes_away(send, failure) || (send->attempts_left > 0 && sender_may_retry(failure)));
}

static mqc_status next_place(struct async_send *send, mqc_error *failure)
{
    if (goes_away(send, failure)) {
        send->moved_on = true;
        return MQC_OK;
    }
    send->attempts_left--;
    mqc_status status = sender_place_known(&send->producer->sender, send->content.topic,
                                           send->place.queue.broker_name, &send->place, failure);
    if (send->place.queue.broker_name)
        send_trail_attempt(&send->trail, send->place.queue.broker_name);
    return status;
}

static mqc_status call(struct async_send *send, mqc_error *error)
{
    const struct sender *sender = &send->producer->sender;
    struct send_message_header header;
    struct command_to_send request;
    send_request_make(&send->content, &sender->origin, &send->place.queue, &header, &request);
    reference_take(&send->references);
    mqc_status status = remoting_client_call_async(
        client_instance_remoting(sender->instance), send->place.address, &request,
        sender_attempt_deadline(sender, send->deadline_ms), answered, send, error);
    if (status != MQC_OK) reference_drop(&send->references); /* never the last one */
    return status;
}

static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct async_send *send = arg;
    if (!own(send)) {
        send_unref(send);
        return;
    }
    reference_drop(&send->references); /* the call's; the callback's is left */
    if (arrival && !read_answer(send, arrival->command)) error = &send->error;
    sender_learn(&send->producer->sender, &send->place, error);
    if (error && call_again(send, error)) return;
    callback_executor_submit_uncalled(client_instance_callbacks(send->producer->sender.instance),
                                      &send->task);
}

/* Whether the broker has the message, be its answer readable or not. A refusal counts like that of
 * a synchronous send: what Java's asynchronous sends do not send again, their users have to. */
static bool read_answer(struct async_send *send, const struct remoting_command *answer)
{
    send->error.status = MQC_OK;
    if (response_judge(answer->code) != JUDGE_DONE) {
        client_api_refused(answer, send->place.address, "the send", &send->error);
        return false;
    }
    send_response_read(answer, &send->content, &send->place.queue, &send->result, &send->error);
    return true;
}

/* On a callback thread, or in the shutdown of the instance. */
static void deliver(struct callback_task *task)
{
    struct async_send *send = CONTAINER_OF(task, struct async_send, task);
    struct mqc_producer *producer = send->producer;
    bool failed = send->error.status != MQC_OK;
    send->done(failed ? NULL : &send->result, failed ? &send->error : NULL, send->arg);
    /* Others hold references only while they return from a call, or when it was cancelled. */
    bool sole = atomic_load_explicit(&send->references.count, memory_order_acquire) == 1;
    if (sole) send_empty(send);
    lock_take(&producer->lock);
    list_remove(&send->link);
    bool spared = sole && producer->free_send_count < SPARE_SENDS;
    if (spared) {
        list_append(&producer->free_sends, &send->link);
        producer->free_send_count++;
    }
    if (producer->state == CLIENT_SHUTDOWN_ALREADY) condition_wake_all(&producer->changed);
    lock_release(&producer->lock); /* from here on the producer may be gone */
    if (sole && !spared)
        memory_free(send);
    else if (!sole)
        send_unref(send);
}

static struct async_send *send_take(struct mqc_producer *producer)
{
    lock_take(&producer->lock);
    struct link *link = list_take_first(&producer->free_sends);
    if (link) producer->free_send_count--;
    lock_release(&producer->lock);
    struct async_send *send =
        link ? CONTAINER_OF(link, struct async_send, link) : memory_allocate(sizeof *send);
    if (!send) return NULL;
    list_init(&send->link);
    send->task.run = deliver;
    send->producer = producer;
    reference_init(&send->references);
    atomic_init(&send->phase, PHASE_OWNED);
    return send;
}

static void send_empty(struct async_send *send)
{
    mqc_message_free(send->message);
    send_content_done(&send->content);
}

static void send_unref(struct async_send *send)
{
    if (!reference_drop(&send->references)) return;
    send_empty(send);
    memory_free(send);
}

static void enlist(struct async_send *send)
{
    lock_take(&send->producer->lock);
    list_append(&send->producer->sends, &send->link);
    atomic_store(&send->phase, PHASE_WAITING);
    lock_release(&send->producer->lock);
}

static void delist(struct async_send *send)
{
    lock_take(&send->producer->lock);
    list_remove(&send->link);
    lock_release(&send->producer->lock);
}

static bool own(struct async_send *send)
{
    int waiting = PHASE_WAITING;
    return atomic_compare_exchange_strong(&send->phase, &waiting, PHASE_OWNED);
}
