/* Checks and defaults of the option structs, by the table in options.def. Runs on the thread that
 * makes a client, producer or consumer; called by their constructors. */
#include "lib/client/options.h"

#include <mqclient/hooks.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/sized_struct.h"
#include "lib/client/address_map.h"
#include "lib/client/option_table.h"
#include "lib/net/address.h"

enum { HALF_AN_HOUR_MS = 30 * 60 * 1000, LITE_PULL_BATCH = 10, RPC_HOOKS_MOST = 1000 };

static mqc_status check_fields(enum option_role role, const void *options, mqc_error *error);
static mqc_status check_name_servers(const mqc_client_options *options, mqc_error *error);
static mqc_status check_credentials(const mqc_client_options *options, mqc_error *error);
static mqc_status check_pop(const mqc_push_consumer_options *options, mqc_error *error);
static mqc_status check_threads(const mqc_push_consumer_options *options, mqc_error *error);
static mqc_status check_latency(const mqc_producer_options *options, mqc_error *error);
static mqc_status check_shared(const mqc_push_consumer_options *options, mqc_error *error);
static const char *default_name_servers(void);
static void fill_fields(enum option_role role, void *options);

mqc_status options_check_client(const mqc_client_options *options, mqc_error *error)
{
    static const mqc_client_options ALL_DEFAULTS;
    if (!options) options = &ALL_DEFAULTS;
    mqc_status status = check_fields(OPTION_ROLE_CLIENT, options, error);
    if (!status) status = check_name_servers(options, error);
    if (!status) status = check_credentials(options, error);
    if (!status) status = options_check_tls(options, error);
    if (!status) status = address_map_check(options->address_map, error);
    if (!status) status = options_check_namespace(options->name_space, error);
    if (!status) status = options_check_trace(options, error);
    if (!status)
        status = options_check_hooks("rpc_hooks", options->rpc_hooks, options->rpc_hook_count,
                                     RPC_HOOKS_MOST, error);
    return status;
}

mqc_status options_check_producer(const mqc_producer_options *options, mqc_error *error)
{
    if (!options)
        return error_set(error, MQC_BAD_ARGUMENT, "there are no options: a producer needs a group");
    mqc_status status = options_check_group(options->group, "producerGroup", error);
    if (!status) status = check_fields(OPTION_ROLE_PRODUCER, options, error);
    if (!status && options->create_topic_key)
        status = names_check_topic(options->create_topic_key, error);
    if (!status) status = check_latency(options, error);
    if (!status) status = options_check_topics(options->topics, error);
    if (!status)
        status = options_check_hooks("send_hooks", options->send_hooks, options->send_hook_count,
                                     MQC_SEND_HOOKS_MOST, error);
    if (!status) status = options_check_client(options->client, error);
    return status;
}

mqc_status options_check_push_consumer(const mqc_push_consumer_options *options, mqc_error *error)
{
    if (!options)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "there are no options: a push consumer needs a group and a listener");
    mqc_status status = options_check_group(options->group, "consumerGroup", error);
    if (!status && !options->listener && !options->orderly_listener && !options->polled)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "listener is missing: give the function that takes the messages, or set "
                           "polled and call mqc_push_consumer_poll");
    if (!status && options->listener && options->polled)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "listener and polled are both given: messages go to one of them");
    if (!status && options->orderly_listener && (options->listener || options->polled))
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "orderly_listener and %s are both given: messages go to one of them",
                           options->listener ? "listener" : "polled");
    if (!status && options->pop) status = check_pop(options, error);
    return status ? status : check_shared(options, error);
}

static mqc_status check_pop(const mqc_push_consumer_options *options, mqc_error *error)
{
    if (!options->polled && options->model == MQC_CLUSTERING) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "pop is given with %s: brokers pop for listeners of clustering groups only",
                     options->polled ? "polled" : "MQC_BROADCASTING");
}

mqc_status options_check_lite_consumer(const mqc_lite_consumer_options *options, mqc_error *error)
{
    mqc_push_consumer_options shared;
    if (!options)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "there are no options: a lite consumer needs a group");
    options_lite_to_shared(options, &shared);
    mqc_status status = options_check_group(options->group, "consumerGroup", error);
    if (!status) status = check_fields(OPTION_ROLE_LITE_CONSUMER, options, error);
    return status ? status : check_shared(&shared, error);
}

/* What push and lite consumers have in common. */
static mqc_status check_shared(const mqc_push_consumer_options *options, mqc_error *error)
{
    mqc_status status = check_fields(OPTION_ROLE_PUSH_CONSUMER, options, error);
    if (!status && options->from_unix_ms != 0 && options->from != MQC_FROM_TIME)
        status =
            error_set(error, MQC_BAD_ARGUMENT,
                      "consumeTimestamp (from_unix_ms) is given, but consumeFromWhere (from) is "
                      "not CONSUME_FROM_TIMESTAMP (MQC_FROM_TIME): give both or neither");
    if (!status) status = check_threads(options, error);
    if (!status)
        status = options_check_hooks("consume_hooks", options->consume_hooks,
                                     options->consume_hook_count, MQC_CONSUME_HOOKS_MOST, error);
    bool local = options->offset_store_path || options->offsets_in_memory;
    if (!status && local && options->model != MQC_BROADCASTING)
        status =
            error_set(error, MQC_BAD_ARGUMENT,
                      "%s is given, but messageModel (model) is not BROADCASTING "
                      "(MQC_BROADCASTING): the offsets of a clustering group are at the brokers",
                      options->offset_store_path ? "offsetStorePath (offset_store_path)"
                                                 : "offsetsInMemory (offsets_in_memory)");
    if (!status && options->offset_store_path && options->offsets_in_memory)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "offsetStorePath (offset_store_path) and offsetsInMemory "
                           "(offsets_in_memory) are both given: give one of them");
    if (!status) status = options_check_client(options->client, error);
    return status;
}

static mqc_status check_threads(const mqc_push_consumer_options *options, mqc_error *error)
{
    if (options->threads == 0 || options->threads_min <= options->threads) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "consumeThreadMin (threads_min) is %d: it must not be above consumeThreadMax "
                     "(threads), which is %d",
                     options->threads_min, options->threads);
}

mqc_status options_take_client(const mqc_client_options **given, size_t size,
                               mqc_client_options *whole, mqc_error *error)
{
    mqc_status status = sized_struct_copy(whole, sizeof *whole, *given, size, error);
    if (status == MQC_OK && *given) *given = whole;
    return status;
}

mqc_client_options options_fill_client(const mqc_client_options *options)
{
    mqc_client_options filled = {0};
    if (options) filled = *options;
    fill_fields(OPTION_ROLE_CLIENT, &filled);
    if (!filled.name_servers) filled.name_servers = default_name_servers();
    if (filled.instance_name && strcmp(filled.instance_name, "DEFAULT") == 0)
        filled.instance_name = NULL;
    return filled;
}

mqc_producer_options options_fill_producer(const mqc_producer_options *options)
{
    mqc_producer_options filled = *options;
    fill_fields(OPTION_ROLE_PRODUCER, &filled);
    if (!filled.create_topic_key) filled.create_topic_key = NAME_DEFAULT_TOPIC;
    return filled;
}

mqc_push_consumer_options options_fill_push_consumer(const mqc_push_consumer_options *options)
{
    mqc_push_consumer_options filled = *options;
    fill_fields(OPTION_ROLE_PUSH_CONSUMER, &filled);
    if (filled.threads < filled.threads_min) filled.threads = filled.threads_min;
    if (options->orderly_listener && options->max_reconsume_times == 0)
        filled.max_reconsume_times = INT32_MAX;
    if (filled.from_unix_ms == 0) filled.from_unix_ms = clock_unix_ms() - HALF_AN_HOUR_MS;
    return filled;
}

mqc_lite_consumer_options options_fill_lite_consumer(const mqc_lite_consumer_options *options)
{
    mqc_lite_consumer_options filled = *options;
    mqc_push_consumer_options shared;
    if (filled.pull_batch == 0) filled.pull_batch = LITE_PULL_BATCH;
    options_lite_to_shared(&filled, &shared);
    shared = options_fill_push_consumer(&shared);
    options_shared_to_lite(&shared, &filled);
    fill_fields(OPTION_ROLE_LITE_CONSUMER, &filled);
    return filled;
}

#define EACH_SHARED(X)                                                                             \
    X(client)                                                                                      \
    X(group)                                                                                       \
    X(model)                                                                                       \
    X(from)                                                                                        \
    X(from_unix_ms)                                                                                \
    X(pull_batch)                                                                                  \
    X(queue_max_messages)                                                                          \
    X(queue_max_mib)                                                                               \
    X(queue_max_span)                                                                              \
    X(allocate)                                                                                    \
    X(queue_listener)                                                                              \
    X(queue_listener_arg)                                                                          \
    X(offset_store_path)                                                                           \
    X(offsets_in_memory)                                                                           \
    X(stuck_after_ms)                                                                              \
    X(consume_hooks)                                                                               \
    X(consume_hook_count)

void options_lite_to_shared(const mqc_lite_consumer_options *lite,
                            mqc_push_consumer_options *shared)
{
    *shared = (mqc_push_consumer_options){0};
#define TO_SHARED(field) shared->field = lite->field;
    EACH_SHARED(TO_SHARED)
#undef TO_SHARED
}

void options_shared_to_lite(const mqc_push_consumer_options *shared,
                            mqc_lite_consumer_options *lite)
{
#define TO_LITE(field) lite->field = shared->field;
    EACH_SHARED(TO_LITE)
#undef TO_LITE
}

/* The value of a field of type number or choice. */
static int number_at(const struct option *option, const void *options)
{
    int number;
    memcpy(&number, (const char *)options + option->offset, sizeof number);
    return number;
}

static mqc_status check_number(const struct option *option, const void *options, mqc_error *error)
{
    int number = number_at(option, options);
    bool none_allowed = option->none != NOT_NONE;
    if (number == 0 || (number == -1 && none_allowed)) return MQC_OK;
    int least =
        option->least > 0 ? option->least : 1; /* 0 is the default, whatever it is by name */
    if (number >= least && number <= option->most) return MQC_OK;
    const char *name = option->description.name, *unit = option->description.unit;
    const char *space = unit[0] ? " " : "";
    if (option->fallback < 0)
        return error_set(error, MQC_BAD_ARGUMENT, "%s (%s) is %d: give %d to %d%s%s, or 0 for none",
                         name, option->field, number, least, option->most, space, unit);
    return error_set(error, MQC_BAD_ARGUMENT,
                     "%s (%s) is %d: give %d to %d%s%s, %sor 0 for the default %d", name,
                     option->field, number, least, option->most, space, unit,
                     none_allowed ? "-1 for none, " : "", option->fallback);
}

static mqc_status check_text(const struct option *option, const void *options, mqc_error *error)
{
    const char *text;
    memcpy(&text, (const char *)options + option->offset, sizeof text);
    if (!text || text[0]) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "%s (%s) is empty: give it a value, or NULL for the default (%s)",
                     option->description.name, option->field, option->description.fallback);
}

static mqc_status check_choice(const struct option *option, const void *options, mqc_error *error)
{
    int choice = number_at(option, options);
    if (choice >= 0 && choice < option_choices(option)) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT, "%s (%s) is %d: give the constant for one of %s",
                     option->description.name, option->field, choice, option->description.range);
}

static mqc_status check_time(const struct option *option, const void *options, mqc_error *error)
{
    int64_t unix_ms;
    memcpy(&unix_ms, (const char *)options + option->offset, sizeof unix_ms);
    if (unix_ms >= 0) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "%s (%s) is %lld: give milliseconds since 1970, or 0 for the default (%s)",
                     option->description.name, option->field, (long long)unix_ms,
                     option->description.fallback);
}

static mqc_status check_fields(enum option_role role, const void *options, mqc_error *error)
{
    mqc_status status = MQC_OK;
    for (size_t i = 0; i < OPTION_COUNT && !status; i++) {
        const struct option *option = &OPTION_TABLE[i];
        if (option->role != role) continue;
        switch (option->type) {
        case OPTION_TYPE_TEXT: status = check_text(option, options, error); break;
        case OPTION_TYPE_NUMBER: status = check_number(option, options, error); break;
        case OPTION_TYPE_CHOICE: status = check_choice(option, options, error); break;
        case OPTION_TYPE_TIME: status = check_time(option, options, error); break;
        case OPTION_TYPE_YES_NO: break;
        }
    }
    return status;
}

static void fill_fields(enum option_role role, void *options)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &OPTION_TABLE[i];
        if (option->role != role || option->type != OPTION_TYPE_NUMBER) continue;
        int number = number_at(option, options);
        if (number == 0)
            number = option->fallback;
        else if (number == -1)
            number = option->none == MINUS_ONE_IS_NONE ? -1 : 0;
        memcpy((char *)options + option->offset, &number, sizeof number);
    }
}

static mqc_status check_latency(const mqc_producer_options *options, mqc_error *error)
{
    const mqc_latency_step *steps = options->latency_steps;
    if (!options->avoid_slow_brokers && (steps || options->detect_brokers))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%s is given, but slow brokers are not avoided: set "
                         "sendLatencyFaultEnable (avoid_slow_brokers) too",
                         steps ? "latency_steps" : "startDetectorEnable (detect_brokers)");
    if (!steps != (options->latency_step_count == 0))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "latency_steps is %s, but latency_step_count is %zu: give both or neither",
                         steps ? "given" : "NULL", options->latency_step_count);
    for (size_t i = 0; i < options->latency_step_count; i++) {
        if (steps[i].latency_ms < 0 || steps[i].away_ms < 0 ||
            (i > 0 && steps[i].latency_ms <= steps[i - 1].latency_ms))
            return error_set(
                error, MQC_BAD_ARGUMENT,
                "latency_steps[%zu] is {%d, %d}: give milliseconds, in rising order of "
                "latency_ms",
                i, steps[i].latency_ms, steps[i].away_ms);
    }
    return MQC_OK;
}

static const char *default_name_servers(void)
{
    const char *text = getenv("NAMESRV_ADDR");
    return text && text[0] ? text : NULL;
}

static mqc_status check_name_servers(const mqc_client_options *options, mqc_error *error)
{
    const char *origin = options->name_servers ? "namesrvAddr (name_servers)" : "NAMESRV_ADDR";
    const char *text = options->name_servers ? options->name_servers : default_name_servers();
    if (!text && options->name_server_domain) return MQC_OK;
    if (!text)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "no name server is known: give namesrvAddr (name_servers) as "
                         "\"host:port;host:port\" or set NAMESRV_ADDR, or give nameServerDomain "
                         "(name_server_domain)");
    struct slice rest = slice_text(text);
    int addresses = 0;
    while (rest.data) {
        struct slice part = slice_trim(slice_split(&rest, ";"));
        if (part.size == 0) continue;
        struct address address;
        mqc_error inner;
        mqc_status status = address_parse(part, &address, &inner);
        if (status) return error_set(error, status, "%s: %s", origin, inner.text);
        addresses++;
    }
    if (addresses > 0) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT, "%s is \"%s\": give \"host:port;host:port\"", origin,
                     text);
}

static mqc_status check_credentials(const mqc_client_options *options, mqc_error *error)
{
    if (!options->access_key != !options->secret_key)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%s is given without %s: ACL needs both or neither",
                         options->access_key ? "accessKey (access_key)" : "secretKey (secret_key)",
                         options->access_key ? "secretKey (secret_key)" : "accessKey (access_key)");
    if (options->security_token && !options->access_key)
        return error_set(
            error, MQC_BAD_ARGUMENT,
            "securityToken (security_token) is given without accessKey (access_key) and "
            "secretKey (secret_key), which it belongs to");
    if (options->get_credentials && options->access_key)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "accessKey (access_key) and get_credentials are both given: keys come "
                         "from one of them");
    return MQC_OK;
}
