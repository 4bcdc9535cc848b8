/* The synchronous send: one deadline, a few attempts, another broker after each failure
 * (DefaultMQProducerImpl.sendDefaultImpl). Runs wholly on the caller's thread and allocates nothing
 * for ordinary messages. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/producer/message_check.h"
#include "lib/producer/sender.h"
#include "lib/protocol/message.h"

enum { NAMED_ATTEMPTS = 8, BROKERS_TEXT_BYTES = 160 };

/* One send with what its attempts have brought so far. */
struct course {
    struct sender *sender;
    const mqc_message *message;
    const mqc_send_options *options;
    struct send_content *content;
    int64_t began_ms, deadline_ms;
    int attempts_allowed;
    int attempts;
    const char *brokers[NAMED_ATTEMPTS]; /* of the first attempts */
    const char *last_broker;
    bool stored_badly; /* an attempt was accepted, but not stored as well as asked for */
    bool maybe_done;
    mqc_send_result result;
    mqc_error failure; /* of the last attempt */
};

enum verdict { VERDICT_DONE, VERDICT_AGAIN, VERDICT_GIVE_UP };

static mqc_status run(struct course *course, mqc_send_result *result, mqc_error *error);
static enum verdict attempt(struct course *course);
static enum verdict call(struct course *course, const struct send_place *place);
static enum verdict judge(struct course *course, const struct send_place *place,
                          const struct remoting_command *answer);
static mqc_status fail(struct course *course, mqc_error *error);

mqc_status sender_send(struct sender *sender, const mqc_message *message,
                       const mqc_send_options *options, int retries, int64_t deadline_ms,
                       mqc_send_result *result, mqc_error *error)
{
    mqc_status status = message_check(message, sender->max_message_bytes, error);
    if (status == MQC_OK) status = send_options_check(options, message, error);
    if (status != MQC_OK) return status;
    struct send_content content;
    status = send_content_init(&content, message, error);
    if (status != MQC_OK) return status;
    bool ordered = options && (options->queue || options->select);
    struct course course;
    course.sender = sender;
    course.message = message;
    course.options = options;
    course.content = &content;
    course.began_ms = clock_now_ms();
    course.deadline_ms = deadline_ms;
    course.attempts_allowed = ordered ? 1 : 1 + retries;
    course.attempts = 0;
    course.last_broker = NULL;
    course.stored_badly = false;
    course.maybe_done = false;
    status = run(&course, result, error);
    send_content_done(&content);
    return status;
}

static mqc_status run(struct course *course, mqc_send_result *result, mqc_error *error)
{
    enum verdict verdict = attempt(course);
    while (verdict == VERDICT_AGAIN && course->attempts < course->attempts_allowed &&
           clock_now_ms() < course->deadline_ms) {
        log_debug(LOG_PRODUCER, "send again topic=%s attempts=%d reason=%s", course->message->topic,
                  course->attempts, course->failure.text);
        verdict = attempt(course);
    }
    /* What was stored badly is stored: better than the failure of a later attempt. */
    if (verdict != VERDICT_DONE && !course->stored_badly) return fail(course, error);
    if (result) *result = course->result;
    return MQC_OK;
}

static enum verdict attempt(struct course *course)
{
    struct send_place place;
    mqc_status status =
        sender_place(course->sender, course->message, course->options, course->last_broker,
                     course->deadline_ms, &place, &course->failure);
    const char *broker_name = place.queue.broker_name;
    if (broker_name) {
        if (course->attempts < NAMED_ATTEMPTS) course->brokers[course->attempts] = broker_name;
        course->attempts++;
        course->last_broker = broker_name;
    }
    if (status == MQC_OK) return call(course, &place);
    /* Without a queue there is nothing to try; with a broker that is gone, there is another one. */
    return broker_name && sender_transport_failed(status) ? VERDICT_AGAIN : VERDICT_GIVE_UP;
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
    if (status != MQC_OK) {
        course->maybe_done = course->maybe_done || course->failure.maybe_done;
        return sender_transport_failed(status) ? VERDICT_AGAIN : VERDICT_GIVE_UP;
    }
    enum verdict verdict = judge(course, place, &response.command);
    remoting_response_done(&response);
    return verdict;
}

static enum verdict judge(struct course *course, const struct send_place *place,
                          const struct remoting_command *answer)
{
    enum response_judgement judgement = response_judge(answer->code);
    if (judgement != JUDGE_DONE) {
        client_api_refused(answer, place->address, "the send", &course->failure);
        return judgement == JUDGE_GIVE_UP ? VERDICT_GIVE_UP : VERDICT_AGAIN;
    }
    mqc_status status = send_response_read(answer, course->content, &place->queue, &course->result,
                                           &course->failure);
    if (status != MQC_OK) {
        course->maybe_done = true;
        return VERDICT_GIVE_UP;
    }
    if (course->result.status == MQC_SEND_OK || !course->sender->retry_not_stored)
        return VERDICT_DONE;
    course->stored_badly = true;
    error_set(&course->failure, MQC_REFUSED, "%s: %s", place->address,
              response_code_name(answer->code));
    return VERDICT_AGAIN;
}

/* "3 attempts in 120 ms, brokers a, b, a: <what the last one said>" */
static mqc_status fail(struct course *course, mqc_error *error)
{
    const mqc_error *last = &course->failure;
    if (!error) return last->status;
    if (course->attempts == 0) {
        *error = *last;
        return last->status;
    }
    char brokers[BROKERS_TEXT_BYTES];
    size_t used = 0;
    for (int i = 0; i < course->attempts && i < NAMED_ATTEMPTS; i++) {
        int room = (int)(sizeof brokers - used);
        int more = snprintf(brokers + used, (size_t)room, "%s%.64s", i > 0 ? ", " : "",
                            course->brokers[i]);
        used += (size_t)(more < room ? more : room - 1);
    }
    error_set(error, last->status, "%d attempt%s in %lld ms, broker%s %s%s: %s", course->attempts,
              course->attempts > 1 ? "s" : "", (long long)(clock_now_ms() - course->began_ms),
              course->attempts > 1 ? "s" : "", brokers,
              course->attempts > NAMED_ATTEMPTS ? ", …" : "", last->text);
    error->broker_code = last->broker_code;
    error->retryable = last->retryable;
    error->maybe_done = course->maybe_done;
    return last->status;
}
