/* The synchronous send: one deadline, a few attempts, another broker after each failure
 * (DefaultMQProducerImpl.sendDefaultImpl). Runs wholly on the caller's thread and allocates nothing
 * for ordinary messages. */
#include <limits.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/producer/message_check.h"
#include "lib/producer/order_key.h"
#include "lib/producer/send_figures.h"
#include "lib/producer/send_trail.h"
#include "lib/producer/sender.h"
#include "lib/protocol/message.h"

/* One send with what its attempts have brought so far. */
struct course {
    struct sender *sender;
    const mqc_message *message;
    const mqc_send_options *options;
    struct send_content *content;
    int64_t deadline_ms;
    int attempts_allowed;
    bool keyed; /* with an order key: further attempts are for the same queue */
    mqc_send_options same_queue;
    mqc_message_queue kept_queue;
    struct send_trail trail;
    const char *last_broker;
    bool stored_badly; /* an attempt was accepted, but not stored as well as asked for */
    mqc_send_result result;
    mqc_error failure; /* of the last attempt */
};

enum verdict { VERDICT_DONE, VERDICT_AGAIN, VERDICT_GIVE_UP };

static mqc_status run(struct course *course, mqc_send_result *result, mqc_error *error);
static bool stay(struct course *course);
static enum verdict attempt(struct course *course);
static enum verdict call(struct course *course, const struct send_place *place);
static enum verdict judge(struct course *course, const struct send_place *place,
                          const struct remoting_command *answer);
static enum verdict failed(struct course *course, const struct send_place *place);

mqc_status sender_send_unseen(struct sender *sender, const mqc_message *message,
                              const mqc_send_options *options, int retries, int64_t deadline_ms,
                              mqc_send_result *result, mqc_error *error)
{
    mqc_status status = message_check(message, sender->max_message_bytes, error);
    if (status == MQC_OK) status = send_options_check(options, message, error);
    if (status != MQC_OK) return status;
    struct send_content content;
    status = send_content_init(&content, message, error);
    if (status != MQC_OK) return status;
    status = sender_send_content(sender, &content, message, options, retries, deadline_ms, result,
                                 error);
    send_content_done(&content);
    return status;
}

mqc_status sender_send_content(struct sender *sender, struct send_content *content,
                               const mqc_message *message, const mqc_send_options *options,
                               int retries, int64_t deadline_ms, mqc_send_result *result,
                               mqc_error *error)
{
    struct course course;
    course.sender = sender;
    course.message = message;
    course.options = options;
    course.content = content;
    send_trail_begin(&course.trail);
    course.deadline_ms = deadline_ms;
    course.keyed = options && options->order_key;
    course.attempts_allowed = 1 + retries;
    if (course.keyed && retries > 0) course.attempts_allowed = INT_MAX;
    if (options && (options->queue || options->select)) course.attempts_allowed = 1;
    course.last_broker = NULL;
    course.stored_badly = false;
    return run(&course, result, error);
}

static mqc_status run(struct course *course, mqc_send_result *result, mqc_error *error)
{
    enum verdict verdict = attempt(course);
    while (verdict == VERDICT_AGAIN && course->trail.attempts < course->attempts_allowed &&
           (!course->keyed || stay(course)) && clock_now_ms() < course->deadline_ms) {
        log_debug(LOG_PRODUCER, "send again topic=%s attempts=%d reason=%s", course->message->topic,
                  course->trail.attempts, course->failure.text);
        verdict = attempt(course);
    }
    /* What was stored badly is stored: better than the failure of a later attempt. */
    if (verdict != VERDICT_DONE && !course->stored_badly) {
        send_figures_failed(course->sender, course->content, course->last_broker, &course->trail);
        return send_trail_end(&course->trail, &course->failure, error);
    }
    send_figures_sent(course->sender, course->content, &course->result.queue, &course->trail);
    if (result) *result = course->result;
    return MQC_OK;
}

/* Before another attempt of a keyed send: on the same queue, after a pause; false when it could
 * bring the message out of order. */
static bool stay(struct course *course)
{
    if (course->stored_badly || !order_key_may_repeat(&course->failure)) return false;
    course->same_queue = (mqc_send_options){.queue = &course->kept_queue};
    course->options = &course->same_queue;
    int64_t until_ms = clock_deadline_ms(order_key_pause_ms(course->trail.attempts));
    clock_sleep_until(until_ms < course->deadline_ms ? until_ms : course->deadline_ms);
    return !atomic_load(&course->sender->leaving);
}

static enum verdict attempt(struct course *course)
{
    struct send_place place;
    mqc_status status =
        sender_place(course->sender, course->message, course->options, course->last_broker,
                     course->deadline_ms, &place, &course->failure);
    const char *broker_name = place.queue.broker_name;
    if (broker_name) {
        send_trail_attempt(&course->trail, broker_name);
        course->last_broker = broker_name;
        course->kept_queue = place.queue;
    }
    if (status == MQC_OK) return call(course, &place);
    /* Without a queue there is nothing to try; with a broker that is gone, there is another one. */
    return broker_name && sender_may_retry(&course->failure) ? VERDICT_AGAIN : VERDICT_GIVE_UP;
}

static enum verdict call(struct course *course, const struct send_place *place)
{
    struct send_message_header header;
    struct command_to_send request;
    send_request_make(course->content, &course->sender->origin, &place->queue, &header, &request);
    struct remoting_response response;
    mqc_status status = remoting_client_call(
        client_instance_remoting(course->sender->instance), place->address, &request,
        sender_attempt_deadline(course->sender, course->deadline_ms), &response, &course->failure);
    if (status != MQC_OK) return failed(course, place);
    enum verdict verdict = judge(course, place, &response.command);
    remoting_response_done(&response);
    return verdict;
}

static enum verdict judge(struct course *course, const struct send_place *place,
                          const struct remoting_command *answer)
{
    if (response_judge(answer->code) != JUDGE_DONE) {
        client_api_refused(answer, place->address, "the send", &course->failure);
        return failed(course, place);
    }
    mqc_status status = send_response_read(answer, course->content, &place->queue, &course->result,
                                           &course->failure);
    if (status != MQC_OK) {
        send_trail_failed(&course->trail, &course->failure);
        return VERDICT_GIVE_UP;
    }
    sender_learn(course->sender, place, NULL);
    if (course->result.status == MQC_SEND_OK || !course->sender->retry_not_stored)
        return VERDICT_DONE;
    course->stored_badly = true;
    error_refused(&course->failure, answer->code, "%s: %s", place->address,
                  response_code_name(answer->code));
    return VERDICT_AGAIN;
}

static enum verdict failed(struct course *course, const struct send_place *place)
{
    send_trail_failed(&course->trail, &course->failure);
    sender_learn(course->sender, place, &course->failure);
    return sender_may_retry(&course->failure) ? VERDICT_AGAIN : VERDICT_GIVE_UP;
}
