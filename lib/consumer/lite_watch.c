/* Topics whose queues an application wants to know about: looked at from time to time on a callback
 * thread, and once by the application's when it asks (registerTopicMessageQueueChangeListener). */
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/lite_consumer.h"
#include "lib/consumer/queue_questions.h"

struct watch {
    struct link link; /* in mqc_lite_consumer.watches */
    char *topic;
    mqc_queue_listener *listener;
    void *arg;
    bool known; /* `queues` is what was seen last */
    mqc_queue_list queues;
};

static void look_at(mqc_lite_consumer *consumer, struct client_instance *instance,
                    const char *topic);
static bool same_queues(const mqc_queue_list *a, const mqc_queue_list *b);
static void watch_free(struct watch *watch);

mqc_status mqc_lite_consumer_watch(mqc_lite_consumer *consumer, const char *topic,
                                   mqc_queue_listener *listener, void *arg, mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    if (status == MQC_OK) status = names_check_topic(topic, error);
    if (status != MQC_OK) return status;
    struct watch *fresh = NULL, *old = NULL;
    if (listener) {
        fresh = memory_allocate_zero(1, sizeof *fresh);
        if (fresh) fresh->topic = memory_duplicate(topic);
        if (!fresh || !fresh->topic) {
            memory_free(fresh);
            return error_no_memory(error);
        }
        fresh->listener = listener;
        fresh->arg = arg;
        list_init(&fresh->link);
    }
    lock_take(&consumer->core.lock);
    LIST_EACH(&consumer->watches, item)
    {
        struct watch *watch = CONTAINER_OF(item, struct watch, link);
        if (strcmp(watch->topic, topic) == 0) old = watch;
    }
    if (old) list_remove(&old->link);
    if (fresh) list_append(&consumer->watches, &fresh->link);
    lock_release(&consumer->core.lock);
    watch_free(old);
    struct client_instance *instance = fresh ? consumer_enter(&consumer->core) : NULL;
    if (!instance) return MQC_OK;
    look_at(consumer, instance, topic); /* what there is now is no news */
    consumer_exit(&consumer->core);
    return MQC_OK;
}

void lite_look(struct consumer *core, struct client_instance *instance)
{
    struct mqc_lite_consumer *consumer = lite_of(core);
    struct name_list topics = {0};
    lock_take(&core->lock);
    LIST_EACH(&consumer->watches, item)
    name_list_add(&topics, slice_text(CONTAINER_OF(item, struct watch, link)->topic));
    lock_release(&core->lock);
    for (size_t i = 0; i < topics.count && consumer_running(core); i++)
        look_at(consumer, instance, topics.names[i]);
    name_list_done(&topics);
}

/* A watch that is replaced meanwhile may still be told once. */
static void look_at(mqc_lite_consumer *consumer, struct client_instance *instance,
                    const char *topic)
{
    mqc_error error;
    mqc_queue_list now, old = {0}, mine = {0};
    mqc_queue_listener *listener = NULL;
    void *arg = NULL;
    if (queue_ask_list(instance, topic, &now, &error) != MQC_OK) {
        log_warn(LOG_ROUTE, "topic=%s could not be looked at: %s", topic, error.text);
        return;
    }
    mqc_queue_list kept;
    if (queue_list_copy(now.queues, now.count, &kept, &error) != MQC_OK) {
        mqc_queue_list_free(&now);
        return;
    }
    lock_take(&consumer->core.lock);
    LIST_EACH(&consumer->watches, item)
    {
        struct watch *watch = CONTAINER_OF(item, struct watch, link);
        if (strcmp(watch->topic, topic) != 0) continue;
        if (watch->known && !same_queues(&watch->queues, &now)) {
            listener = watch->listener;
            arg = watch->arg;
        }
        watch->known = true;
        old = watch->queues;
        watch->queues = kept;
        kept = (mqc_queue_list){0};
    }
    lock_release(&consumer->core.lock);
    if (listener && mqc_lite_consumer_assignment(consumer, &mine, &error) == MQC_OK) {
        size_t of_topic = 0; /* those of other topics behind them */
        for (size_t i = 0; i < mine.count; i++) {
            if (strcmp(mine.queues[i].topic, topic) != 0) continue;
            mqc_message_queue queue = mine.queues[i];
            mine.queues[i] = mine.queues[of_topic];
            mine.queues[of_topic++] = queue;
        }
        listener(topic, now.queues, now.count, mine.queues, of_topic, arg);
    }
    mqc_queue_list_free(&mine);
    mqc_queue_list_free(&kept);
    mqc_queue_list_free(&old);
    mqc_queue_list_free(&now);
}

static bool same_queues(const mqc_queue_list *a, const mqc_queue_list *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!queue_equal(&a->queues[i], &b->queues[i])) return false;
    }
    return true;
}

void lite_watches_free(mqc_lite_consumer *consumer)
{
    for (struct link *item; (item = list_take_first(&consumer->watches));)
        watch_free(CONTAINER_OF(item, struct watch, link));
}

static void watch_free(struct watch *watch)
{
    if (!watch) return;
    mqc_queue_list_free(&watch->queues);
    memory_free(watch->topic);
    memory_free(watch);
}
