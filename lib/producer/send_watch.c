/* Hooks and trace of sends: see send_watch.h. On the sending thread, and after asynchronous sends
 * on a callback thread. */
#include "lib/producer/send_watch.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/producer/message_check.h"
#include "lib/producer/sender.h"
#include "lib/protocol/message.h"

/* The message is checked first: hooks see none that could not be sent. */
mqc_status sender_send(struct sender *sender, const mqc_message *message,
                       const mqc_send_options *options, int retries, int64_t deadline_ms,
                       mqc_send_result *result, mqc_error *error)
{
    const struct send_watch *watch = &sender->watch;
    if (!send_watch_is_on(watch))
        return sender_send_unseen(sender, message, options, retries, deadline_ms, result, error);
    struct send_watched watched;
    mqc_send_result own;
    mqc_error failure;
    mqc_status status = message_check(message, sender->max_message_bytes, error);
    if (status == MQC_OK)
        status = send_watch_before(watch, &watched, message, MQC_SEND_SYNC, error);
    if (status != MQC_OK) return status;
    status = sender_send_unseen(sender, send_watched_message(watch, &watched, message), options,
                                retries, deadline_ms, &own, &failure);
    bool sent = status == MQC_OK;
    send_watch_after(watch, &watched, message, sent ? &own : NULL, sent ? NULL : &failure);
    if (sent && result) *result = own;
    if (!sent && error) *error = failure;
    return status;
}

mqc_status send_watch_before(const struct send_watch *watch, struct send_watched *watched,
                             const mqc_message *message, mqc_send_mode mode, mqc_error *error)
{
    if (!send_watch_is_on(watch)) return MQC_OK;
    watched->mode = mode;
    watched->began_ms = clock_now_ms();
    watched->began_unix_ms = clock_unix_ms();
    watched->passed = 0;
    watched->dress.message = NULL;
    for (; watched->passed < watch->hook_count; watched->passed++) {
        const mqc_send_hook *hook = &watch->hooks[watched->passed];
        mqc_send_event event = {.group = watch->group,
                                .message = send_watched_message(watch, watched, message),
                                .mode = mode,
                                .dress = &watched->dress};
        mqc_error why = {.status = MQC_OK};
        mqc_status status = hook->before ? hook->before(&event, hook->arg, &why) : MQC_OK;
        watched->notes[watched->passed] = event.note;
        if (status == MQC_OK) continue;
        if (why.status == MQC_OK)
            error_set(&why, status, "a hook refused the send to topic %.127s",
                      mqc_message_topic(message));
        send_watch_after(watch, watched, message, NULL, &why);
        if (error) *error = why;
        return status;
    }
    return MQC_OK;
}

mqc_status mqc_send_event_set_property(mqc_send_event *event, const char *name, const char *value,
                                       mqc_error *error)
{
    if (!event || !event->dress)
        return error_set(error, MQC_WRONG_STATE,
                         "a property can be set before the send only: in the hook's `before`");
    struct mqc_send_dress *dress = event->dress;
    if (!dress->message) dress->message = message_dressed(event->message, error);
    if (!dress->message) return MQC_NO_MEMORY;
    event->message = dress->message;
    return mqc_message_set_property(dress->message, name, value, error);
}

void send_watch_after(const struct send_watch *watch, struct send_watched *watched,
                      const mqc_message *message, const mqc_send_result *result,
                      const mqc_error *error)
{
    if (!send_watch_is_on(watch)) return;
    message = send_watched_message(watch, watched, message);
    int64_t elapsed_ms = clock_now_ms() - watched->began_ms;
    for (size_t i = 0; i < watched->passed; i++) {
        mqc_send_event event = {.group = watch->group,
                                .message = message,
                                .mode = watched->mode,
                                .result = result,
                                .error = error,
                                .elapsed_ms = elapsed_ms,
                                .note = watched->notes[i]};
        if (watch->hooks[i].after) watch->hooks[i].after(&event, watch->hooks[i].arg);
    }
    if (watch->tracing && result)
        tracing_sent(watch->tracing, &(struct trace_sent){.group = watch->group,
                                                          .message = message,
                                                          .result = result,
                                                          .began_unix_ms = watched->began_unix_ms,
                                                          .elapsed_ms = elapsed_ms});
    mqc_message_free(watched->dress.message);
    watched->dress.message = NULL;
}
