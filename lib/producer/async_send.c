/* The machine behind asynchronous sends (DefaultMQProducerImpl.sendDefaultImpl, MQClientAPIImpl.
 * sendMessageAsync). The first attempt is made on the sending thread, others on the thread that
 * reads the answers, where nothing waits; callbacks run on the callback executor.
 *
 * Whoever moves `phase` away from PHASE_WAITING owns the outcome: the answer, or the shutdown that
 * cancels the send; the answer to a cancelled send may come when the producer is gone and touches
 * the record alone. */
#include "lib/producer/async_send.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/producer/send_figures.h"

enum { SPARE_SENDS = 1024 };

enum phase { PHASE_WAITING, PHASE_OWNED };

static mqc_status first_call(struct async_send *send, const mqc_message *message,
                             const mqc_send_options *options, mqc_error *error);
static bool call_on(struct async_send *send, const mqc_error *why);
static bool may_call_on(const struct async_send *send, const mqc_error *failure);
static mqc_status next_place(struct async_send *send, mqc_error *failure);
static mqc_status call(struct async_send *send, mqc_error *error);
static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg);
static bool is_counted(const struct async_send *send);
static mqc_status end_failed(struct async_send *send, const mqc_error *failure, mqc_error *error);
static bool read_answer(struct async_send *send, const struct remoting_command *answer);
static void submit(struct async_send *send);
static void deliver(struct callback_task *task);
static void send_unref(struct async_send *send);
static void enlist(struct async_send *send, int phase);
static void delist(struct async_send *send);
static bool own(struct async_send *send);
static void begin_attempts(struct async_send *send);

/* ---- for those who send ---- */

struct async_send *async_send_take(struct mqc_producer *producer,
                                   const struct async_send_type *type)
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
    send->type = type;
    send->pinned = false;
    reference_init(&send->references);
    atomic_init(&send->phase, PHASE_OWNED);
    return send;
}

mqc_status async_send_begin(struct async_send *send, const mqc_message *message,
                            const mqc_send_options *options, mqc_error *error)
{
    send->pinned = options && (options->queue || options->select || options->order_key);
    begin_attempts(send);
    mqc_status status = first_call(send, message, options, error);
    if (status != MQC_OK) send_unref(send); /* was for the callback */
    return status;
}

void async_send_begin_known(struct async_send *send)
{
    begin_attempts(send);
    enlist(send, PHASE_OWNED);
    if (!call_on(send, NULL)) submit(send);
}

void async_send_drop(struct async_send *send)
{
    send->type->empty(send);
    memory_free(send);
}

/* ---- for the producer's end ---- */

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
        submit(send);
    }
}

void async_sends_free(struct mqc_producer *producer)
{
    for (struct link *link; (link = list_take_first(&producer->free_sends));)
        memory_free(CONTAINER_OF(link, struct async_send, link));
}

/* ---- attempts ---- */

/* Of a content that has not been sent yet. */
static void begin_attempts(struct async_send *send)
{
    send->attempts_left = send->pinned ? 1 : 1 + send->producer->options.async_retries;
    send->moved_on = false;
    send_trail_begin(&send->trail);
}

/* Until a call is under way: brokers to which none can even be begun are passed over. */
static mqc_status first_call(struct async_send *send, const mqc_message *message,
                             const mqc_send_options *options, mqc_error *error)
{
    struct sender *sender = &send->producer->sender;
    const char *failed = NULL;
    mqc_error failure;
    mqc_status status;
    do {
        status = sender_place(sender, message, options, failed, send->deadline_ms, &send->place,
                              &failure);
        failed = send->place.queue.broker_name;
        send->attempts_left--;
        if (failed) send_trail_attempt(&send->trail, failed);
        if (status == MQC_OK) {
            reference_take(&send->references);
            enlist(send, PHASE_WAITING);
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
    return status == MQC_OK ? MQC_OK : end_failed(send, &failure, error);
}

/* Recalls are sends only in the way they go. */
static bool is_counted(const struct async_send *send)
{
    return !send->type->request;
}

static mqc_status end_failed(struct async_send *send, const mqc_error *failure, mqc_error *error)
{
    const char *last_broker = send->trail.attempts > 0 ? send->place.queue.broker_name : NULL;
    if (is_counted(send))
        send_figures_failed(&send->producer->sender, &send->content, last_broker, &send->trail);
    return send_trail_end(&send->trail, failure, error);
}

/* The next attempts, on the reading thread or another that must not wait: after the failure `why`
 * (which may be the send's error), or with a content that has not been sent yet (NULL). false:
 * there are none, and the send is still the caller's to deliver, with its error set. */
static bool call_on(struct async_send *send, const mqc_error *why)
{
    struct mqc_producer *producer = send->producer;
    mqc_error failure;
    error_set(&failure, MQC_TIMEOUT, "the timeout was over before it could be sent");
    error_mark_retryable(&failure);
    if (why) failure = *why;
    bool under_way = false, cancelled = false;
    producer_hold(producer); /* a cancelled send lets the producer go while this goes on */
    reference_take(&send->references);
    if (why) send_trail_failed(&send->trail, &failure);
    while (!under_way && !cancelled && may_call_on(send, &failure)) {
        if (next_place(send, &failure) != MQC_OK) continue;
        atomic_store(&send->phase, PHASE_WAITING);
        under_way = call(send, &failure) == MQC_OK;
        cancelled = !under_way && !own(send);
        if (!under_way) sender_learn(&producer->sender, &send->place, &failure);
    }
    bool settled = under_way || cancelled;
    if (!settled) end_failed(send, &failure, &send->error);
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

static bool may_call_on(const struct async_send *send, const mqc_error *failure)
{
    return clock_now_ms() < send->deadline_ms &&
           (goes_away(send, failure) || (send->attempts_left > 0 && sender_may_retry(failure)));
}

static mqc_status next_place(struct async_send *send, mqc_error *failure)
{
    struct sender *sender = &send->producer->sender;
    if (goes_away(send, failure)) {
        send->moved_on = true;
        return MQC_OK;
    }
    const char *failed = send->trail.attempts > 0 ? send->place.queue.broker_name : NULL;
    send->attempts_left--;
    mqc_status status = send->pinned ? sender_address_known(sender, &send->place, failure)
                                     : sender_place_known(sender, send->content.topic, failed,
                                                          &send->place, failure);
    if (send->place.queue.broker_name)
        send_trail_attempt(&send->trail, send->place.queue.broker_name);
    return status;
}

static mqc_status call(struct async_send *send, mqc_error *error)
{
    const struct sender *sender = &send->producer->sender;
    union async_header header;
    struct command_to_send request;
    if (send->type->request)
        send->type->request(send, &header, &request);
    else
        send_request_make(&send->content, &sender->origin, &send->place.queue, &header.message,
                          &request);
    reference_take(&send->references);
    mqc_status status = remoting_client_call_async(
        client_instance_remoting(sender->instance), send->place.address, &request,
        sender_attempt_deadline(sender, send->deadline_ms), answered, send, error);
    if (status != MQC_OK) reference_drop(&send->references); /* never the last one */
    return status;
}

/* ---- answers ---- */

static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct async_send *send = arg;
    if (!own(send)) {
        send_unref(send);
        return;
    }
    reference_drop(&send->references); /* the call's; the callback's is left */
    bool (*read)(struct async_send *, const struct remoting_command *) =
        send->type->read ? send->type->read : read_answer;
    if (arrival && !read(send, arrival->command)) error = &send->error;
    sender_learn(&send->producer->sender, &send->place, error);
    if (error) {
        if (call_on(send, error)) return;
    } else if (send->error.status == MQC_OK) {
        if (is_counted(send))
            send_figures_sent(&send->producer->sender, &send->content, &send->place.queue,
                              &send->trail);
        if (send->type->next && send->type->next(send)) {
            begin_attempts(send);
            if (call_on(send, NULL)) return;
        }
    }
    /* One of a burst: see calls_completed in client_steps.c. */
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

static void submit(struct async_send *send)
{
    callback_executor_submit(client_instance_callbacks(send->producer->sender.instance),
                             &send->task);
}

/* On a callback thread, or in the shutdown of the instance. */
static void deliver(struct callback_task *task)
{
    struct async_send *send = CONTAINER_OF(task, struct async_send, task);
    struct mqc_producer *producer = send->producer;
    send->type->deliver(send);
    /* Others hold references only while they return from a call, or when it was cancelled. */
    bool sole = atomic_load_explicit(&send->references.count, memory_order_acquire) == 1;
    if (sole) send->type->empty(send);
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

static void send_unref(struct async_send *send)
{
    if (reference_drop(&send->references)) async_send_drop(send);
}

static void enlist(struct async_send *send, int phase)
{
    lock_take(&send->producer->lock);
    list_append(&send->producer->sends, &send->link);
    atomic_store(&send->phase, phase);
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
