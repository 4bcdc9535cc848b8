/* Hooks and trace of listener calls: see consume_watch.h. On the listener's thread. */
#include "lib/consumer/consume_watch.h"

#include "lib/base/clock.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"

#define DEFAULT_REGION "DefaultRegion" /* MixAll.DEFAULT_TRACE_REGION_ID */

static void record(const struct consume_watch *watch, const struct consume_watched *watched,
                   const mqc_delivery *delivery, const struct trace_consume *after);

void consume_watch_before(const struct consume_watch *watch, struct consume_watched *watched,
                          const mqc_delivery *delivery)
{
    if (!consume_watch_any(watch)) return;
    watched->began_ms = clock_now_ms();
    watched->began_unix_ms = clock_unix_ms();
    if (watch->trace) {
        message_id_make(watched->request_id);
        record(watch, watched, delivery, NULL);
    }
    for (size_t i = 0; i < watch->hook_count; i++) {
        mqc_consume_event event = {.group = watch->group, .delivery = delivery};
        if (watch->hooks[i].before) watch->hooks[i].before(&event, watch->hooks[i].arg);
        watched->notes[i] = event.note;
    }
}

void consume_watch_after(const struct consume_watch *watch, const struct consume_watched *watched,
                         const mqc_delivery *delivery, bool success)
{
    if (!consume_watch_any(watch)) return;
    int64_t elapsed_ms = clock_now_ms() - watched->began_ms;
    for (size_t i = 0; i < watch->hook_count; i++) {
        mqc_consume_event event = {.group = watch->group,
                                   .delivery = delivery,
                                   .success = success,
                                   .elapsed_ms = elapsed_ms,
                                   .note = watched->notes[i]};
        if (watch->hooks[i].after) watch->hooks[i].after(&event, watch->hooks[i].arg);
    }
    if (!watch->trace) return;
    enum trace_consumed outcome = success ? TRACE_CONSUMED : TRACE_FAILED;
    if (watch->timeout_ms > 0 && elapsed_ms >= watch->timeout_ms) outcome = TRACE_TIMED_OUT;
    record(watch, watched, delivery,
           &(struct trace_consume){.cost_ms = elapsed_ms / (int64_t)mqc_delivery_count(delivery),
                                   .success = success,
                                   .outcome = outcome});
}

/* One record a message, before (NULL) or after. */
static void record(const struct consume_watch *watch, const struct consume_watched *watched,
                   const mqc_delivery *delivery, const struct trace_consume *after)
{
    struct buffer bytes;
    buffer_init(&bytes);
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++) {
        const mqc_message *message = mqc_delivery_at(delivery, i);
        if (slice_is(message_property(message, PROPERTY_TRACE_SWITCH), "false")) continue;
        struct slice region = message_property(message, PROPERTY_MESSAGE_REGION);
        struct trace_consume made = {0};
        if (after) made = *after;
        made.unix_ms = after ? clock_unix_ms() : watched->began_unix_ms;
        made.region = region.data ? region : SLICE_LITERAL(DEFAULT_REGION);
        made.group = slice_text(watch->group);
        made.request_id = slice_text(watched->request_id);
        made.message_id = slice_text(mqc_message_id(message));
        made.keys = message_property(message, PROPERTY_KEYS);
        made.retry_times = mqc_message_reconsume_times(message);
        buffer_clear(&bytes);
        (after ? trace_record_after : trace_record_before)(&bytes, &made);
        trace_dispatcher_put(watch->trace, &bytes, made.message_id, made.keys);
    }
    buffer_done(&bytes);
}
