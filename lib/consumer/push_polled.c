/* A push consumer without a listener: the application's own loop polls for deliveries and finishes
 * each when it likes. What it refuses is given back by a worker thread, so that finishing never
 * blocks. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/consumer/push_consumer.h"

struct polled_delivery {
    struct mqc_delivery delivery;
    struct consume_task task; /* gives back what was refused */
    struct piece *piece;
    size_t done; /* by the application's verdict */
    int64_t began_us;
    struct consume_watched watched;
};

static void resume(struct consumer *core);
static int stop(struct consumer *core, int64_t deadline_ms);
static mqc_status open_piece(struct mqc_push_consumer *consumer, struct piece *piece,
                             mqc_delivery **out, mqc_error *error);
static void finish(struct mqc_delivery *delivery, mqc_consume_status status);
static void refuse(struct mqc_delivery *delivery);
static void end_with(struct polled_delivery *own, size_t done);
static void run(struct consume_task *task);
static void discard(struct consume_task *task);

const struct consumer_kind PUSH_POLLED = {
    .what = "push consumer",
    .prefix = "mqc_push_consumer",
    .consume_type = "CONSUME_PASSIVELY",
    .polled = true,
    .queue_bytes = sizeof(struct consumer_queue),
    .message_bytes = sizeof(struct piece),
    .start = push_start,
    .stop = stop,
    .destroy = push_destroy,
    .deliver = push_deliver_pieces,
    .resume = resume,
    .sweep = push_timeout_sweep,
    .threads = push_threads,
    .busy = push_busy,
};

/* ---- polling ---- */

mqc_status mqc_push_consumer_poll(mqc_push_consumer *consumer, int timeout_ms,
                                  mqc_delivery **delivery, mqc_error *error)
{
    int64_t deadline_ms = clock_deadline_ms(timeout_ms);
    if (!consumer) return error_set(error, MQC_BAD_ARGUMENT, "the push consumer is NULL");
    if (!delivery)
        return error_set(error, MQC_BAD_ARGUMENT, "delivery is NULL: give where it shall go");
    *delivery = NULL;
    mqc_status status = consumer_check_live(&consumer->core, "poll", error);
    if (status == MQC_OK && !consumer->options.polled)
        status = error_set(error, MQC_WRONG_STATE,
                           "the push consumer of group %s has a listener: set polled instead of "
                           "listener to poll",
                           consumer->core.group);
    enum mailbox_news news = MAILBOX_READY;
    while (status == MQC_OK && !*delivery && news == MAILBOX_READY) {
        struct link *link = mailbox_take(&consumer->mailbox);
        if (link)
            status = open_piece(
                consumer,
                CONTAINER_OF(CONTAINER_OF(link, struct consume_task, link), struct piece, task),
                delivery, error);
        else
            news = mailbox_wait(&consumer->mailbox, deadline_ms);
    }
    if (news == MAILBOX_CLOSED)
        return error_set(error, MQC_CANCELLED, "the push consumer of group %s is shut down",
                         consumer->core.group);
    return status;
}

int mqc_push_consumer_fd(mqc_push_consumer *consumer, mqc_error *error)
{
    if (!consumer) {
        error_set(error, MQC_BAD_ARGUMENT, "the push consumer is NULL");
        return -1;
    }
    if (consumer_check(&consumer->core, error) != MQC_OK) return -1;
    if (consumer->options.polled) return mailbox_fd(&consumer->mailbox, error);
    error_set(
        error, MQC_WRONG_STATE,
        "the push consumer of group %s has a listener: set polled instead of listener to poll",
        consumer->core.group);
    return -1;
}

/* *out stays NULL when there is nothing in it for the application. */
static mqc_status open_piece(struct mqc_push_consumer *consumer, struct piece *piece,
                             mqc_delivery **out, mqc_error *error)
{
    static const struct delivery_kind KIND = {.finish = finish, .free = refuse};
    struct consumer_queue *queue = piece->batch->queue;
    if (process_queue_dropped(&queue->messages)) {
        pulled_batch_unref(piece->batch);
        return MQC_OK;
    }
    struct polled_delivery *own = memory_allocate_zero(1, sizeof *own);
    if (!own) { /* it waits on */
        struct link list;
        list_init(&list);
        list_append(&list, &piece->task.link);
        if (!mailbox_put_back(&consumer->mailbox, &list)) push_discard_tasks(&list);
        return error_no_memory(error);
    }
    own->piece = piece;
    own->task = (struct consume_task){.run = run, .discard = discard};
    own->delivery = (struct mqc_delivery){
        .queue = queue->place, .messages = piece->messages, .kind = &KIND, .meter = queue->meter};
    own->delivery.count = own->delivery.done = piece_prepare(piece);
    push_delivery_begins(queue, &own->delivery);
    consumer_figures_begin(&own->delivery);
    own->began_us = clock_now_us();
    lock_take(&consumer->core.lock);
    consumer->out++;
    lock_release(&consumer->core.lock);
    if (own->delivery.count > 0) {
        consume_watch_before(&consumer->watch, &own->watched, &own->delivery);
        *out = &own->delivery;
    } else {
        end_with(own, 0); /* damaged, or somebody else's by now */
    }
    return MQC_OK;
}

/* ---- finishing ---- */

static void judge(struct mqc_delivery *delivery, size_t done)
{
    struct polled_delivery *own = (struct polled_delivery *)delivery;
    const struct consume_watch *watch =
        &push_consumer_of(own->piece->batch->queue->consumer)->watch;
    consume_watch_after(watch, &own->watched, delivery, done == delivery->count);
    consumer_figures_end(delivery, own->began_us, done);
    end_with(own, done);
}

static void finish(struct mqc_delivery *delivery, mqc_consume_status status)
{
    judge(delivery, status == MQC_CONSUME_SUCCESS ? delivery->done : 0);
}

static void refuse(struct mqc_delivery *delivery)
{
    judge(delivery, 0);
}

static void end_with(struct polled_delivery *own, size_t done)
{
    struct piece *piece = own->piece;
    struct mqc_push_consumer *consumer = push_consumer_of(piece->batch->queue->consumer);
    own->done = done;
    /* The workers are to outlive their discarding of the task. */
    consumer_ref(&consumer->core);
    if (done == piece->count)
        run(&own->task); /* which does not block then */
    else
        consume_workers_submit(consumer->workers, &own->task);
    consumer_unref(&consumer->core);
}

/* Worker thread, or the application's. */
static void run(struct consume_task *task)
{
    struct polled_delivery *own = CONTAINER_OF(task, struct polled_delivery, task);
    struct consumer *core = own->piece->batch->queue->consumer;
    consumer_ref(core);
    piece_end(own->piece, own->delivery.count, own->done, own->delivery.retry_level);
    memory_free(own);
    lock_take(&core->lock);
    if (--push_consumer_of(core)->out == 0) condition_wake_all(&core->changed);
    lock_release(&core->lock);
    consumer_unref(core);
}

/* The workers have ended: what was refused comes again anyway, as nothing of it was committed. */
static void discard(struct consume_task *task)
{
    struct polled_delivery *own = CONTAINER_OF(task, struct polled_delivery, task);
    own->piece->count = 0; /* nothing is to be given back */
    run(task);
}

/* ---- pausing, ending ---- */

void push_hold_mailbox(struct consumer *core)
{
    lock_take(&core->lock);
    mailbox_hold(&push_consumer_of(core)->mailbox, atomic_load(&core->paused));
    lock_release(&core->lock);
}

static void resume(struct consumer *core)
{
    push_hold_mailbox(core);
}

/* Deliveries that are out are the application's: whoever frees the consumer may be who has them,
 * and is not made to wait for ever. */
static int stop(struct consumer *core, int64_t deadline_ms)
{
    struct mqc_push_consumer *consumer = push_consumer_of(core);
    struct link tasks;
    bool for_ever = deadline_ms == CLOCK_NEVER, in_time = !for_ever;
    mailbox_close(&consumer->mailbox);
    list_init(&tasks);
    mailbox_take_all(&consumer->mailbox, &tasks);
    push_discard_tasks(&tasks);
    lock_take(&core->lock);
    while (consumer->out > 0 && in_time)
        in_time = condition_wait_until(&core->changed, &core->lock, deadline_ms);
    int out = for_ever ? 0 : consumer->out;
    lock_release(&core->lock);
    int running = push_stop(core, deadline_ms);
    return running > out ? running : out;
}
