/* From the pull's answer to the application's hands: the thread that reads puts what it got into
 * the mailbox, the application polls it from there. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/delivery.h"
#include "lib/consumer/lite_consumer.h"

struct lite_delivery {
    struct mqc_delivery delivery;
    struct pulled_batch *batch;
};

static void free_delivery(struct mqc_delivery *delivery);
static struct lite_batch *take_batch(mqc_lite_consumer *consumer);
static void hand_out(mqc_lite_consumer *consumer, struct lite_batch *item)
    REQUIRES(consumer->core.lock);
static mqc_status make_delivery(struct pulled_batch *batch, mqc_delivery **out, mqc_error *error);
static void look_on(const struct pulled_batch *batch, const mqc_delivery *delivery);
static void discard(mqc_lite_consumer *consumer, struct lite_batch *item);

/* ---- in ---- */

void lite_deliver(struct pulled_batch *batch)
{
    struct mqc_lite_consumer *consumer = lite_of(batch->queue->consumer);
    struct lite_batch *item = (struct lite_batch *)batch->room;
    struct link list;
    list_init(&list);
    list_init(&item->link);
    item->batch = batch;
    atomic_fetch_add(&consumer->held, batch->count);
    list_append(&list, &item->link);
    if (!mailbox_put(&consumer->mailbox, &list)) discard(consumer, item); /* it ends */
}

/* Everything before `next` was polled, or filtered out. */
void lite_passed(struct consumer_queue *queue, int64_t next)
{
    struct lite_queue *own = lite_queue_of(queue);
    lock_take(&queue->consumer->lock);
    if (next > own->position) own->position = next;
    lock_release(&queue->consumer->lock);
}

/* ---- out ---- */

mqc_status mqc_lite_consumer_poll(mqc_lite_consumer *consumer, int timeout_ms,
                                  mqc_delivery **delivery, mqc_error *error)
{
    struct client_instance *instance;
    int64_t deadline_ms = clock_deadline_ms(timeout_ms);
    if (!delivery)
        return error_set(error, MQC_BAD_ARGUMENT, "delivery is NULL: give where it shall go");
    *delivery = NULL;
    mqc_status status = lite_enter(consumer, &instance, error);
    if (status != MQC_OK) return status;
    lite_commit_if_due(consumer);
    consumer_exit(&consumer->core);
    enum mailbox_news news = MAILBOX_READY;
    while (status == MQC_OK && !*delivery && news == MAILBOX_READY) {
        struct lite_batch *item = take_batch(consumer);
        if (item)
            status = make_delivery(item->batch, delivery, error);
        else
            news = mailbox_wait(&consumer->mailbox, deadline_ms);
    }
    if (news == MAILBOX_CLOSED)
        return error_set(error, MQC_CANCELLED, "the lite consumer of group %s is shut down",
                         consumer->core.group);
    return status;
}

int mqc_lite_consumer_fd(mqc_lite_consumer *consumer, mqc_error *error)
{
    return lite_check(consumer, error) == MQC_OK ? mailbox_fd(&consumer->mailbox, error) : -1;
}

/* The next one that may be polled now; NULL when there is none. */
static struct lite_batch *take_batch(mqc_lite_consumer *consumer)
{
    struct lite_batch *found = NULL;
    struct link *link, gone;
    list_init(&gone);
    lock_take(&consumer->core.lock);
    while (!found && (link = mailbox_take(&consumer->mailbox))) {
        struct lite_batch *item = CONTAINER_OF(link, struct lite_batch, link);
        struct lite_queue *queue = lite_queue_of(item->batch->queue);
        if (process_queue_dropped(&queue->core.messages))
            list_append(&gone, link);
        else if (atomic_load(&queue->paused))
            list_append(&queue->parked, link);
        else
            found = item;
    }
    if (found) hand_out(consumer, found);
    lock_release(&consumer->core.lock);
    while ((link = list_take_first(&gone)))
        discard(consumer, CONTAINER_OF(link, struct lite_batch, link));
    return found;
}

/* From here on they count as polled. */
static void hand_out(mqc_lite_consumer *consumer, struct lite_batch *item)
{
    struct pulled_batch *batch = item->batch;
    struct lite_queue *queue = lite_queue_of(batch->queue);
    int64_t next = -1;
    for (size_t i = 0; i < batch->count; i++)
        next = process_queue_remove(&batch->queue->messages, batch->messages[i]->queue_offset);
    if (next > queue->position) queue->position = next;
    atomic_store(&batch->queue->messages.last_consume_unix_ms, clock_unix_ms());
    atomic_fetch_sub(&consumer->held, batch->count);
}

/* *out is NULL when none of its messages can be read. */
static mqc_status make_delivery(struct pulled_batch *batch, mqc_delivery **out, mqc_error *error)
{
    static const struct delivery_kind KIND = {.free = free_delivery};
    struct lite_delivery *own = memory_allocate_zero(1, sizeof *own);
    if (!own) {
        /* Polled in vain: said, since the position has moved on. */
        log_error(LOG_CONSUMER,
                  "group=%s topic=%s broker=%s queue=%d: %zu messages from offset=%lld on are lost "
                  "for want of memory: seek there to have them again",
                  batch->queue->consumer->group, batch->queue->place.topic,
                  batch->queue->place.broker_name, batch->queue->place.queue_id, batch->count,
                  (long long)batch->messages[0]->queue_offset);
        pulled_batch_unref(batch);
        return error_no_memory(error);
    }
    own->batch = batch;
    own->delivery = (struct mqc_delivery){
        .queue = batch->queue->place, .messages = batch->messages, .kind = &KIND};
    own->delivery.count = delivery_prepare_all(&batch->queue->place, batch->messages, batch->count);
    meter_add(batch->queue->meter, METER_CONSUMED_MESSAGES, own->delivery.count);
    if (own->delivery.count > 0) {
        look_on(batch, &own->delivery);
        *out = &own->delivery;
    } else {
        free_delivery(&own->delivery);
    }
    return MQC_OK;
}

/* What is polled is as good as consumed, for hooks and trace as for committing
 * (DefaultLitePullConsumerImpl.poll). */
static void look_on(const struct pulled_batch *batch, const mqc_delivery *delivery)
{
    const struct consume_watch *watch = &lite_of(batch->queue->consumer)->watch;
    struct consume_watched watched;
    consume_watch_before(watch, &watched, delivery);
    consume_watch_after(watch, &watched, delivery, true);
}

static void free_delivery(struct mqc_delivery *delivery)
{
    struct lite_delivery *own = (struct lite_delivery *)delivery;
    pulled_batch_unref(own->batch);
    memory_free(own);
}

/* ---- away ---- */

void lite_purge(mqc_lite_consumer *consumer, bool all)
{
    struct link items, kept, gone;
    list_init(&items);
    list_init(&kept);
    list_init(&gone);
    lock_take(&consumer->core.lock);
    mailbox_take_all(&consumer->mailbox, &items);
    for (struct link *link; (link = list_take_first(&items));) {
        struct lite_batch *item = CONTAINER_OF(link, struct lite_batch, link);
        bool away = all || process_queue_dropped(&item->batch->queue->messages);
        list_append(away ? &gone : &kept, link);
    }
    if (!mailbox_put_back(&consumer->mailbox, &kept)) list_move_all(&gone, &kept);
    lock_release(&consumer->core.lock);
    for (struct link *link; (link = list_take_first(&gone));)
        discard(consumer, CONTAINER_OF(link, struct lite_batch, link));
}

void lite_discard_parked(struct lite_queue *queue)
{
    struct mqc_lite_consumer *consumer = lite_of(queue->core.consumer);
    struct link gone;
    list_init(&gone);
    lock_take(&consumer->core.lock);
    list_move_all(&gone, &queue->parked);
    lock_release(&consumer->core.lock);
    for (struct link *link; (link = list_take_first(&gone));)
        discard(consumer, CONTAINER_OF(link, struct lite_batch, link));
}

static void discard(mqc_lite_consumer *consumer, struct lite_batch *item)
{
    atomic_fetch_sub(&consumer->held, item->batch->count);
    pulled_batch_unref(item->batch);
}
