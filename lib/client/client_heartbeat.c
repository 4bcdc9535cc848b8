/* Heartbeats make groups known to brokers: every 30 s, at a consumer's start, after a change of
 * subscriptions, and at once to a broker whose connection has just opened. They go to all brokers
 * at the same time (MQClientInstance.sendHeartbeatToAllBroker; version 1 of the heartbeat). */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/client/client_instance_private.h"
#include "lib/protocol/namespace.h"

/* What the answers to one round come to; counted, because late ones come after the round. */
struct round {
    struct reference references;
    struct client_instance *instance;
    struct lock lock; /* guards the counts */
    struct condition answered;
    size_t left;
    size_t good;
    bool divide_when_good; /* a broker that came back may have forgotten our group: it knows now */
};

/* The heartbeat's parts while it is put together. */
struct draft {
    struct heartbeat heartbeat;
    size_t producer_capacity, consumer_capacity;
    const mqc_client_options *options;
    struct name_list wire_names; /* owned: names with their namespace */
    bool failed;
};

static bool encode(struct client_instance *instance, struct buffer *out);
static void add_producer(struct client_role *role, void *arg);
static void add_consumer(struct client_role *role, void *arg);
static void dress_consumer(struct draft *draft, struct heartbeat_consumer *consumer);
static const char *wire_name(struct draft *draft, const char *name);
static void draft_done(struct draft *draft);
static void send_one(struct round *round, const char *address, struct slice body);
static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg);
static struct round *round_new(struct client_instance *instance);
static void round_unref(struct round *round);

size_t client_instance_heartbeat(struct client_instance *instance, int64_t deadline_ms)
{
    struct buffer body;
    buffer_init(&body);
    struct name_list addresses = {0};
    struct round *round = round_new(instance);
    size_t good = 0;
    if (!round || !encode(instance, &body)) goto out;
    bool masters_only = !client_roles_has_consumer(instance);
    if (route_table_addresses(&instance->routes, masters_only, &addresses, NULL) != MQC_OK)
        goto out;
    for (size_t i = 0; i < addresses.count; i++)
        send_one(round, addresses.names[i], buffer_slice(&body));
    lock_take(&round->lock);
    while (deadline_ms > 0 && round->left > 0 &&
           condition_wait_until(&round->answered, &round->lock, deadline_ms)) {
    }
    good = round->good;
    lock_release(&round->lock);
out:
    if (round) round_unref(round);
    name_list_done(&addresses);
    buffer_done(&body);
    return good;
}

void client_heartbeat_task(void *arg)
{
    struct client_instance *instance = arg;
    route_table_clean_brokers(&instance->routes);
    client_instance_heartbeat(instance, 0);
}

/* On the I/O thread, which must not wait: a broker that came back learns of our groups at once. */
void client_heartbeat_opened(const char *address, void *arg)
{
    struct client_instance *instance = arg;
    if (!route_table_broker_at(&instance->routes, address)) return;
    route_table_broker_opened(&instance->routes, address);
    struct buffer body;
    buffer_init(&body);
    struct round *round = round_new(instance);
    if (round) round->divide_when_good = client_roles_has_consumer(instance);
    if (round && encode(instance, &body)) send_one(round, address, buffer_slice(&body));
    if (round) round_unref(round);
    buffer_done(&body);
}

/* False when there is nobody to speak for. */
static bool encode(struct client_instance *instance, struct buffer *out)
{
    struct draft draft = {.heartbeat = {.client_id = instance->id}, .options = &instance->options};
    client_roles_each(instance, CLIENT_ROLE_PRODUCER, add_producer, &draft);
    client_roles_each(instance, CLIENT_ROLE_CONSUMER, add_consumer, &draft);
    bool any = draft.heartbeat.producer_count + draft.heartbeat.consumer_count > 0;
    if (any && !draft.failed) heartbeat_encode(&draft.heartbeat, out);
    bool done = any && !draft.failed && !out->failed;
    draft_done(&draft);
    return done;
}

static void add_producer(struct client_role *role, void *arg)
{
    struct draft *draft = arg;
    struct heartbeat *heartbeat = &draft->heartbeat;
    if (memory_reserve(&heartbeat->producers, &draft->producer_capacity,
                       heartbeat->producer_count + 1, sizeof *heartbeat->producers))
        heartbeat->producers[heartbeat->producer_count++] = wire_name(draft, role->group);
    else
        draft->failed = true;
}

static void add_consumer(struct client_role *role, void *arg)
{
    struct draft *draft = arg;
    struct heartbeat *heartbeat = &draft->heartbeat;
    if (memory_reserve(&heartbeat->consumers, &draft->consumer_capacity,
                       heartbeat->consumer_count + 1, sizeof *heartbeat->consumers) &&
        role->type->describe(role, &heartbeat->consumers[heartbeat->consumer_count], NULL) ==
            MQC_OK)
        dress_consumer(draft, &heartbeat->consumers[heartbeat->consumer_count++]);
    else
        draft->failed = true; /* half a heartbeat would take groups away: rather none this time */
}

/* As requests on their way out (outgoing.c). */
static void dress_consumer(struct draft *draft, struct heartbeat_consumer *consumer)
{
    consumer->unit_mode = draft->options->unit_mode;
    if (!draft->options->name_space) return;
    consumer->group = wire_name(draft, consumer->group);
    for (size_t i = 0; i < consumer->subscription_count; i++) {
        char *topic = memory_duplicate(wire_name(draft, consumer->subscriptions[i].topic));
        memory_free(consumer->subscriptions[i].topic);
        consumer->subscriptions[i].topic = topic;
        draft->failed = draft->failed || !topic;
    }
}

static const char *wire_name(struct draft *draft, const char *name)
{
    char room[NAME_BYTES];
    struct slice wrapped = namespace_wrap(draft->options->name_space, slice_text(name), room);
    if (wrapped.data == name) return name;
    if (wrapped.data && name_list_add(&draft->wire_names, wrapped))
        return draft->wire_names.names[draft->wire_names.count - 1];
    draft->failed = true;
    return name;
}

static void draft_done(struct draft *draft)
{
    for (size_t i = 0; i < draft->heartbeat.consumer_count; i++) {
        struct heartbeat_consumer *consumer = &draft->heartbeat.consumers[i];
        for (size_t s = 0; s < consumer->subscription_count; s++)
            subscription_done(&consumer->subscriptions[s]);
        memory_free(consumer->subscriptions);
    }
    name_list_done(&draft->wire_names);
    memory_free(draft->heartbeat.consumers);
    memory_free(draft->heartbeat.producers);
}

static void send_one(struct round *round, const char *address, struct slice body)
{
    struct client_instance *instance = round->instance;
    struct command_to_send request = {.code = REQUEST_HEART_BEAT, .body = body};
    reference_take(&round->references);
    lock_take(&round->lock);
    round->left++;
    lock_release(&round->lock);
    mqc_error error;
    if (remoting_client_call_async(instance->remoting, address, &request,
                                   client_instance_request_deadline(instance), answered, round,
                                   &error) != MQC_OK)
        answered(NULL, &error, round);
}

static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct round *round = arg;
    bool good = arrival && arrival->command->code == RESPONSE_SUCCESS;
    mqc_error refused;
    if (arrival && !good) {
        client_api_refused(arrival->command, remoting_connection_address(arrival->connection),
                           "HEART_BEAT", &refused);
        error = &refused;
    }
    if (error && error->status != MQC_CANCELLED)
        log_warn(LOG_LIFECYCLE, "heartbeat failed: %s", error->text);
    lock_take(&round->lock);
    round->left--;
    if (good) round->good++;
    condition_wake_all(&round->answered);
    lock_release(&round->lock);
    if (good && round->divide_when_good) client_instance_regroup(round->instance);
    round_unref(round);
}

static struct round *round_new(struct client_instance *instance)
{
    struct round *round = memory_allocate_zero(1, sizeof *round);
    if (!round) return NULL;
    reference_init(&round->references);
    round->instance = instance;
    lock_take(&instance->lock);
    instance->heartbeats++;
    lock_release(&instance->lock);
    lock_init(&round->lock, LOCK_RANK_PROMISE);
    condition_init(&round->answered);
    return round;
}

static void round_unref(struct round *round)
{
    struct client_instance *instance = round->instance;
    if (!reference_drop(&round->references)) return;
    condition_done(&round->answered);
    lock_done(&round->lock);
    memory_free(round);
    lock_take(&instance->lock);
    if (--instance->heartbeats == 0) condition_wake_all(&instance->changed);
    lock_release(&instance->lock);
}
