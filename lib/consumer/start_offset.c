/* Where a queue that was just gained is consumed from (RebalancePushImpl.computePullFromWhere…):
 * what the group has stored always wins; a failure is never taken for "nothing stored". Rebalance
 * service. */
#include "lib/consumer/consumer.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"

enum { QUERY_MS = 5000 };

static mqc_status ask_broker(struct consumer *consumer, struct client_instance *instance,
                             const struct offset_place *place, int64_t unix_ms, int64_t *begin,
                             mqc_error *error);

mqc_status consumer_start_offset(struct consumer *consumer, struct client_instance *instance,
                                 const mqc_message_queue *place, bool is_new, int64_t *stored,
                                 int64_t *begin, mqc_error *error)
{
    enum { THE_END = -1 };
    struct offset_place offset_place = {consumer->group, place->topic, place->broker_name,
                                        place->queue_id};
    mqc_status status = consumer->offsets->type->query(
        consumer->offsets, &offset_place, consumer_deadline(consumer, QUERY_MS), stored, error);
    if (status != MQC_OK) return status;
    *begin = *stored;
    if (*stored >= 0) return MQC_OK;
    *stored = -1;
    bool retry = names_is_retry_topic(slice_text(place->topic));
    /* 0 may be below what the broker still has: the first pull then corrects it. */
    *begin = 0;
    if (consumer->settings.from == MQC_FROM_FIRST) return MQC_OK;
    if (consumer->settings.from == MQC_FROM_LAST && retry) return MQC_OK;
    /* The end of a queue that came later would be behind messages that came after the start. */
    int64_t unix_ms = is_new ? consumer->start_unix_ms : THE_END;
    if (consumer->settings.from == MQC_FROM_TIME && !retry)
        unix_ms = consumer->settings.from_unix_ms;
    return ask_broker(consumer, instance, &offset_place, unix_ms, begin, error);
}

/* What was stored from a time on, or (-1) the end of the queue; masters alone are asked. */
static mqc_status ask_broker(struct consumer *consumer, struct client_instance *instance,
                             const struct offset_place *place, int64_t unix_ms, int64_t *begin,
                             mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    int64_t deadline_ms = consumer_deadline(consumer, QUERY_MS);
    struct client_api *api = client_instance_api(instance);
    mqc_status status = client_instance_queue_master(
        instance, &(mqc_message_queue){place->topic, place->broker_name, place->queue_id},
        deadline_ms, address, error);
    if (status != MQC_OK) return status;
    status = unix_ms >= 0
                 ? client_api_search_offset(api, address, place, unix_ms, deadline_ms, begin, error)
                 : client_api_max_offset(api, address, place, deadline_ms, begin, error);
    if (status == MQC_OK && *begin < 0)
        return error_set(error, MQC_BAD_FRAME, "%s answered offset %lld for queue %d of %s",
                         address, (long long)*begin, place->queue_id, place->topic);
    return status;
}
