/* When a message is to be delivered: a level of the broker's table, or a time of one's own (5.x).
 * Built on one thread, like the rest of a message. Brokers take the level before any time and the
 * first of several times without a word (HookUtils.handleScheduleMessage): here a message has one
 * of them at most. */
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"

enum { DELAY_LEVELS = 18 };

/* A time before this is a mistaken unit, or a clock that was never set: 2000-01-01. */
static const int64_t EARLIEST_UNIX_MS = 946684800000;

static const struct kind {
    const char *property, *what, *setter;
} KINDS[] = {
    {PROPERTY_DELAY, "a delay level", "mqc_message_set_delay_level"},
    {PROPERTY_TIMER_DELAY_SECONDS, "a delay in seconds", "mqc_message_set_delay_seconds"},
    {PROPERTY_TIMER_DELAY_MS, "a delay in milliseconds", "mqc_message_set_delay_ms"},
    {PROPERTY_TIMER_DELIVER_MS, "a time of delivery", "mqc_message_set_deliver_at"},
};

/* Sets or, with 0, removes one kind of delay. */
static mqc_status set(mqc_message *message, const char *property, int64_t value, mqc_error *error)
{
    bool may_clash = value != 0 && message && message->block->built;
    for (size_t i = 0; may_clash && i < sizeof KINDS / sizeof *KINDS; i++) {
        const struct kind *kind = &KINDS[i];
        if (strcmp(kind->property, property) == 0) continue;
        if (message_property(message, kind->property).data)
            return error_set(error, MQC_BAD_ARGUMENT,
                             "the message has %s already, and only one kind of delay counts: "
                             "remove it first with %s and 0",
                             kind->what, kind->setter);
    }
    char text[24];
    text[decimal_write(text, value)] = '\0';
    return message_put_property(message, property, value != 0 ? text : NULL, error);
}

mqc_status mqc_message_set_delay_level(mqc_message *message, int level, mqc_error *error)
{
    if (level < 0 || level > DELAY_LEVELS)
        return error_set(error, MQC_BAD_ARGUMENT, "delay level %d: must be 1 to %d, or 0 for none",
                         level, DELAY_LEVELS);
    return set(message, PROPERTY_DELAY, level, error);
}

mqc_status mqc_message_set_delay_seconds(mqc_message *message, int64_t seconds, mqc_error *error)
{
    if (seconds < 0 || seconds > INT64_MAX / 1000)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "a delay of %lld s: must be 1 or more (brokers take up to 3 days unless "
                         "configured), or 0 for none",
                         (long long)seconds);
    return set(message, PROPERTY_TIMER_DELAY_SECONDS, seconds, error);
}

mqc_status mqc_message_set_delay_ms(mqc_message *message, int64_t delay_ms, mqc_error *error)
{
    if (delay_ms < 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "a delay of %lld ms: must be 1 or more (brokers take up to 3 days unless "
                         "configured), or 0 for none",
                         (long long)delay_ms);
    return set(message, PROPERTY_TIMER_DELAY_MS, delay_ms, error);
}

mqc_status mqc_message_set_deliver_at(mqc_message *message, int64_t unix_ms, mqc_error *error)
{
    if (unix_ms < 0 || (unix_ms > 0 && unix_ms < EARLIEST_UNIX_MS))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "delivery at %lld, which is before the year 2000: give milliseconds (not "
                         "seconds) since 1970-01-01 UTC, or 0 for none",
                         (long long)unix_ms);
    return set(message, PROPERTY_TIMER_DELIVER_MS, unix_ms, error);
}
