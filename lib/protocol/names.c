/* Checking and deriving names. Pure; any thread. Called where names enter the library. */
#include "lib/protocol/names.h"

#include <stdio.h>

#include "lib/base/bug.h"
#include "lib/base/error.h"

/* TopicValidator.java: a retry or dead letter topic is a group's name with a prefix, or two names
 */
enum { DERIVED_TOPIC_MAX_CHARACTERS = 255, SHOWN_CHARACTERS = 64 };

/* TopicValidator.SYSTEM_TOPIC_SET; `sendable` is what NOT_ALLOWED_SEND_TOPIC_SET leaves. */
static const struct {
    const char *name;
    bool sendable;
} system_topics[] = {
    {NAME_DEFAULT_TOPIC, true},
    {"SCHEDULE_TOPIC_XXXX", false},
    {"BenchmarkTest", true},
    {"RMQ_SYS_TRANS_HALF_TOPIC", false},
    {"RMQ_SYS_TRACE_TOPIC", true},
    {"RMQ_SYS_TRANS_OP_HALF_TOPIC", false},
    {"TRANS_CHECK_MAX_TIME_TOPIC", false},
    {"SELF_TEST_TOPIC", false},
    {"OFFSET_MOVED_EVENT", false},
    {"CHECKPOINT_TOPIC", true},
};
enum { SYSTEM_TOPICS = sizeof system_topics / sizeof *system_topics };
#define SYSTEM_TOPIC_PREFIX "rmq_sys_"

static bool is_allowed(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '%' ||
           c == '|' || c == '-' || c == '_';
}

static size_t bad_character_at(const char *name)
{
    size_t i = 0;
    while (name[i] && is_allowed((unsigned char)name[i])) i++;
    return i;
}

static mqc_status check_name(const char *name, const char *what, size_t most, mqc_error *error)
{
    if (!name || name[0] == '\0')
        return error_set(error, MQC_BAD_ARGUMENT, "no %s: a name of 1 to %zu characters is needed",
                         what, most);
    unsigned char bad = (unsigned char)name[bad_character_at(name)];
    if (bad >= 0x20 && bad < 0x7F)
        return error_set(
            error, MQC_BAD_ARGUMENT,
            "%s \"%.*s\": character '%c' is not allowed, use letters, digits, %%, |, - "
            "and _",
            what, SHOWN_CHARACTERS, name, bad);
    if (bad)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%s: byte 0x%02x at position %zu is not allowed, use letters, digits, %%, "
                         "|, - and _",
                         what, bad, bad_character_at(name) + 1);
    if (strlen(name) > most)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%s \"%.*s…\" has %zu characters, at most %zu are allowed", what,
                         SHOWN_CHARACTERS, name, strlen(name), most);
    return MQC_OK;
}

mqc_status names_check_topic(const char *topic, mqc_error *error)
{
    struct slice slice = slice_text(topic);
    bool derived = names_is_retry_topic(slice) || slice_begins_with(slice, NAME_DEAD_LETTER_PREFIX);
    return check_name(topic, "topic", derived ? DERIVED_TOPIC_MAX_CHARACTERS : TOPIC_MAX_CHARACTERS,
                      error);
}

mqc_status names_check_sendable(const char *topic, mqc_error *error)
{
    mqc_status status = names_check_topic(topic, error);
    if (status != MQC_OK) return status;
    for (size_t i = 0; i < SYSTEM_TOPICS; i++) {
        const char *name = system_topics[i].name;
        if (!system_topics[i].sendable && name[0] == topic[0] && strcmp(topic, name) == 0)
            return error_set(error, MQC_BAD_ARGUMENT,
                             "topic \"%s\" is the broker's own, nothing can be sent to it: use a "
                             "topic of the application",
                             topic);
    }
    return MQC_OK;
}

mqc_status names_check_group(const char *group, const char *what, mqc_error *error)
{
    return check_name(group, what, GROUP_MAX_CHARACTERS, error);
}

static void derive(char out[NAME_BYTES], const char *prefix, const char *group)
{
    int length = snprintf(out, NAME_BYTES, "%s%s", prefix, group);
    BUG_IF(length < 0 || length >= NAME_BYTES, "group name of %zu bytes was not checked",
           strlen(group));
}

void names_retry_topic(const char *group, char out[NAME_BYTES])
{
    derive(out, NAME_RETRY_PREFIX, group);
}

void names_dead_letter_topic(const char *group, char out[NAME_BYTES])
{
    derive(out, NAME_DEAD_LETTER_PREFIX, group);
}

void names_reply_topic(struct slice cluster, char out[NAME_BYTES])
{
    size_t most = NAME_BYTES - sizeof NAME_REPLY_SUFFIX;
    snprintf(out, NAME_BYTES, "%.*s" NAME_REPLY_SUFFIX,
             (int)(cluster.size < most ? cluster.size : most), cluster.data ? cluster.data : "");
}

bool names_is_retry_topic(struct slice topic)
{
    return slice_begins_with(topic, NAME_RETRY_PREFIX);
}

bool names_is_system_topic(struct slice topic)
{
    for (size_t i = 0; i < SYSTEM_TOPICS; i++)
        if (slice_is(topic, system_topics[i].name)) return true;
    return slice_begins_with(topic, SYSTEM_TOPIC_PREFIX);
}
