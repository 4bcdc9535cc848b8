/* Dividing queues (RebalanceImpl, RebalancePushImpl): for each topic, which of its queues are ours,
 * which are lost and which are gained. Runs on the instance's rebalance service, which calls again
 * in a second while anything is left to do. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/consumer.h"

enum {
    UNKNOWN_PASSES_MOST = 5,  /* without us in the list of members before we give up our queues */
    MISSING_PASSES_MOST = 30, /* that look for a topic without a route each second */
    HELD_PASSES_USUAL = 10,   /* until another member has let go of a queue */
    SOON_MS = 100
};

/* The group's members as one broker lists them. */
struct members {
    char address[ADDRESS_TEXT_BYTES];
    struct name_list ids;
    mqc_status status;
    mqc_error error;
};

/* What one pass works with. */
struct pass {
    struct consumer *consumer;
    struct client_instance *instance;
    bool changed;
    int gained, lost; /* queues of the topic at hand */
    bool unknown;     /* some list of members lacked us */
    bool give_up_when_unknown;
    bool missing;            /* some topic has no route */
    bool failed;             /* some topic could not be looked at otherwise */
    bool held;               /* another member still has some queue of ours */
    bool pop;                /* the topic at hand is popped */
    struct members *members; /* one a broker that was asked in this pass */
    size_t member_count, member_capacity;
};

static bool divide_topic(struct pass *pass, const char *topic);
static bool divide_by_broker(struct pass *pass, const char *topic, int64_t deadline_ms,
                             bool *balanced);
static mqc_status get_queues(struct pass *pass, const char *topic, int64_t deadline_ms,
                             struct topic_queues **queues, mqc_error *error);
static mqc_status choose(struct pass *pass, const char *topic, int64_t deadline_ms,
                         const struct topic_queues *queues, bool *mine, mqc_error *error);
static void report(struct pass *pass, const char *topic, mqc_status status, const mqc_error *error);
static mqc_status get_members(struct pass *pass, const char *topic, int64_t deadline_ms,
                              struct name_list *ids, mqc_error *error);
static struct members *members_of(struct pass *pass, const char *address, int64_t deadline_ms);
static void members_done(struct pass *pass);
static bool update(struct pass *pass, const char *topic, const struct topic_queues *queues,
                   const bool *mine);
static bool drop_lost(struct pass *pass, const char *topic, const struct topic_queues *queues,
                      const bool *mine);
static void tell_listener(struct pass *pass, const char *topic, const struct topic_queues *queues);
static void mark_mine(struct pass *pass, const struct topic_queues *queues, const bool *mine);
static bool gain(struct pass *pass, const mqc_message_queue *place);
static bool drop_unsubscribed(struct pass *pass);
static bool lose(struct pass *pass, struct consumer_queue *queue, const char *why);
static void come_again_soon(struct consumer *consumer, bool held);
static void nudge(struct pull_request *request);
static void nudge_no_more(struct pull_request *request);

bool consumer_rebalance(struct consumer *consumer)
{
    struct pass pass = {.consumer = consumer,
                        .instance = consumer->instance,
                        .give_up_when_unknown = consumer->unknown_passes >= UNKNOWN_PASSES_MOST};
    struct topic_subscription **topics;
    size_t count;
    if (consumer->kind->pass_begins) consumer->kind->pass_begins(consumer);
    if (subscriptions_list(&consumer->subscriptions, &topics, &count, NULL) != MQC_OK) return false;
    bool balanced = true;
    for (size_t i = 0; i < count && consumer_running(consumer); i++)
        if (!divide_topic(&pass, topics[i]->data.topic)) balanced = false;
    subscriptions_release(topics, count);
    if (!drop_unsubscribed(&pass)) balanced = false;
    members_done(&pass);
    come_again_soon(consumer, pass.held);
    /* A new topic should be consumed soon, but one that never comes must not cost much for ever. */
    int passes = pass.missing ? atomic_load(&consumer->missing_passes) + 1 : 0;
    atomic_store(&consumer->missing_passes, passes);
    if (pass.missing && passes < MISSING_PASSES_MOST) balanced = false;
    consumer->unknown_passes = pass.unknown ? consumer->unknown_passes + 1 : 0;
    consumer->failed_passes = pass.failed ? consumer->failed_passes + 1 : 0;
    if (pass.changed) subscriptions_touch(&consumer->subscriptions);
    if (pass.changed || pass.unknown) client_instance_heartbeat(pass.instance, 0);
    if (consumer->kind->pass_ends) consumer->kind->pass_ends(consumer);
    return balanced;
}

/* Whether nothing is left to do for this topic. */
static bool divide_topic(struct pass *pass, const char *topic)
{
    struct consumer *consumer = pass->consumer;
    int64_t deadline_ms = consumer_deadline(consumer, consumer->client_options.request_timeout_ms);
    struct topic_queues *queues = NULL;
    mqc_error error;
    bool balanced = false, *mine = NULL;
    mqc_status status = get_queues(pass, topic, deadline_ms, &queues, &error);
    /* Brokers make the retry topic when it is first needed. */
    bool missing = status == MQC_NO_ROUTE;
    pass->pop = false;
    if (status == MQC_OK && divide_by_broker(pass, topic, deadline_ms, &balanced)) {
        topic_queues_unref(queues);
        return balanced;
    }
    if (status == MQC_OK) {
        mine = memory_allocate_zero(queues->subscribe_count + 1, sizeof *mine);
        status =
            mine ? choose(pass, topic, deadline_ms, queues, mine, &error) : error_no_memory(&error);
    }
    bool known = status == MQC_OK;
    bool unlisted = status == MQC_NOT_FOUND;
    if (!known) {
        report(pass, topic, unlisted ? MQC_REFUSED : status, &error);
        balanced = missing;
        pass->missing = pass->missing || missing;
        pass->unknown = pass->unknown || unlisted || status == MQC_REFUSED;
    }
    /* A broker that has just restarted learns of us in a moment: no reason to drop all queues. */
    if (known || (unlisted && pass->give_up_when_unknown))
        balanced = update(pass, topic, queues, mine) && known;
    if (known || missing) consumer_topic_looked_at(consumer, topic);
    memory_free(mine);
    topic_queues_unref(queues);
    return balanced;
}

/* Which of the queues are to be ours. MQC_NOT_FOUND when the group's members are to divide them and
 * we are none. */
static mqc_status choose(struct pass *pass, const char *topic, int64_t deadline_ms,
                         const struct topic_queues *queues, bool *mine, mqc_error *error)
{
    struct consumer *consumer = pass->consumer;
    struct name_list ids = {0};
    if (consumer->kind->choose &&
        consumer->kind->choose(consumer, queues->subscribe, queues->subscribe_count, mine))
        return MQC_OK;
    if (consumer->settings.model == MQC_BROADCASTING) {
        for (size_t i = 0; i < queues->subscribe_count; i++) mine[i] = true;
        return MQC_OK;
    }
    mqc_status status = get_members(pass, topic, deadline_ms, &ids, error);
    if (status == MQC_OK) {
        mqc_allocation allocation = {.group = consumer->group,
                                     .topic = topic,
                                     .client_id = client_instance_id(pass->instance),
                                     .client_ids = (const char *const *)ids.names,
                                     .client_count = ids.count,
                                     .queues = queues->subscribe,
                                     .queue_count = queues->subscribe_count};
        status = allocate_queues(&consumer->settings.allocate, &allocation, mine, error);
    }
    return status;
}

/* True: the topic is popped, or may be, and *balanced is set. */
static bool divide_by_broker(struct pass *pass, const char *topic, int64_t deadline_ms,
                             bool *balanced)
{
    struct topic_queues ours = {0};
    mqc_error error;
    bool pulled = false;
    if (!pass->consumer->settings.pop || names_is_retry_topic(slice_text(topic))) return false;
    mqc_status status =
        consumer_pop_places(pass->consumer, pass->instance, topic, deadline_ms, &ours.subscribe,
                            &ours.subscribe_count, &pulled, &error);
    bool *mine = status == MQC_OK ? memory_allocate(ours.subscribe_count + 1) : NULL;
    pass->pop = status != MQC_OK || !pulled;
    if (status == MQC_OK && consumer_follow_pop_retries(pass->consumer, topic, pulled)) {
        pass->changed = true;
        client_instance_wake_rebalance(pass->instance);
    }
    *balanced = mine && pass->pop;
    if (*balanced) {
        memset(mine, true, ours.subscribe_count);
        *balanced = update(pass, topic, &ours, mine);
    } else if (status != MQC_OK) {
        report(pass, topic, status, &error);
    }
    memory_free(mine);
    memory_free(ours.subscribe);
    return pass->pop;
}

/* A route that a producer of the instance made after the default topic has nothing to consume: the
 * topic itself may exist by now. */
static mqc_status get_queues(struct pass *pass, const char *topic, int64_t deadline_ms,
                             struct topic_queues **queues, mqc_error *error)
{
    mqc_status status = client_instance_queues(pass->instance, topic, deadline_ms, queues, error);
    if (status != MQC_OK || !(*queues)->from_default_topic) return status;
    topic_queues_unref(*queues);
    *queues = NULL;
    status = client_instance_update_route(pass->instance, topic, NULL, 0, deadline_ms, error);
    return status == MQC_OK
               ? client_instance_queues(pass->instance, topic, deadline_ms, queues, error)
               : status;
}

/* Not everything is worth a warning each time: right after a start brokers have not heard of us
 * yet, retry topics are made when they are first needed, and what fails fails again each second. */
static void report(struct pass *pass, const char *topic, mqc_status status, const mqc_error *error)
{
    const struct consumer *consumer = pass->consumer;
    bool quiet = false;
    if (names_is_retry_topic(slice_text(topic)) && status != MQC_REFUSED)
        quiet = true; /* the group's other topics say the same */
    else if (status == MQC_NO_ROUTE)
        quiet = consumer->missing_passes % MISSING_PASSES_MOST != 0;
    else if (status == MQC_REFUSED)
        quiet = consumer->unknown_passes == 0;
    else
        quiet = consumer->failed_passes % MISSING_PASSES_MOST != 0;
    if (status != MQC_NO_ROUTE && status != MQC_REFUSED) pass->failed = true;
    LOG_AT(quiet ? MQC_LOG_DEBUG : MQC_LOG_WARN, LOG_REBALANCE,
           "group=%s topic=%s not divided now: %s", consumer->group, topic, error->text);
}

/* The group's members in Java's order, from one broker; the list is the pass's. */
static mqc_status get_members(struct pass *pass, const char *topic, int64_t deadline_ms,
                              struct name_list *ids, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    if (!route_table_any_of_topic(client_instance_routes(pass->instance), topic, true, address))
        return error_set(error, MQC_NO_CONNECTION, "no broker of the topic has an address");
    struct members *members = members_of(pass, address, deadline_ms);
    if (!members) return error_no_memory(error);
    *ids = members->ids;
    *error = members->error;
    return members->status;
}

/* Each broker is asked once in a pass, however many topics it has; one that is down, too. */
static struct members *members_of(struct pass *pass, const char *address, int64_t deadline_ms)
{
    for (size_t i = 0; i < pass->member_count; i++)
        if (strcmp(pass->members[i].address, address) == 0) return &pass->members[i];
    if (!memory_reserve(&pass->members, &pass->member_capacity, pass->member_count + 1,
                        sizeof *pass->members))
        return NULL;
    struct members *members = &pass->members[pass->member_count++];
    *members = (struct members){0};
    snprintf(members->address, sizeof members->address, "%s", address);
    members->status = client_api_consumer_list(client_instance_api(pass->instance), address,
                                               pass->consumer->group, deadline_ms, &members->ids,
                                               &members->error);
    if (members->status == MQC_OK)
        allocate_sort_ids(&members->ids);
    else /* the next pass asks another one */
        route_table_broker_silent(client_instance_routes(pass->instance), address);
    return members;
}

static void members_done(struct pass *pass)
{
    for (size_t i = 0; i < pass->member_count; i++)
        if (pass->members[i].status == MQC_OK) name_list_done(&pass->members[i].ids);
    memory_free(pass->members);
}

static bool update(struct pass *pass, const char *topic, const struct topic_queues *queues,
                   const bool *mine)
{
    pass->gained = pass->lost = 0;
    bool complete = drop_lost(pass, topic, queues, mine);
    for (size_t i = 0; i < queues->subscribe_count && consumer_running(pass->consumer); i++) {
        if (!mine[i] || consumer_queues_has(pass->consumer, &queues->subscribe[i])) continue;
        if (!gain(pass, &queues->subscribe[i])) complete = false;
    }
    if (pass->gained + pass->lost > 0) {
        consumer_note_rebalance(pass->consumer, topic, queues->subscribe_count, pass->gained,
                                pass->lost);
        tell_listener(pass, topic, queues);
    }
    return complete;
}

static void tell_listener(struct pass *pass, const char *topic, const struct topic_queues *queues)
{
    const struct consumer_settings *settings = &pass->consumer->settings;
    if (!settings->queue_listener || names_is_retry_topic(slice_text(topic))) return;
    size_t count;
    struct consumer_queue **held = consumer_queues_list(pass->consumer, topic, &count);
    mqc_message_queue *mine = memory_allocate_zero(count, sizeof *mine);
    for (size_t i = 0; mine && i < count; i++) mine[i] = held[i]->place;
    if (mine) {
        allocate_sort_queues(mine, count);
        settings->queue_listener(topic, queues->subscribe, queues->subscribe_count, mine, count,
                                 settings->queue_listener_arg);
    }
    memory_free(mine);
    consumer_queues_release(held, count);
}

/* False: something is still to be let go. */
static bool drop_lost(struct pass *pass, const char *topic, const struct topic_queues *queues,
                      const bool *mine)
{
    size_t count;
    struct consumer_queue **held = consumer_queues_list(pass->consumer, topic, &count);
    bool complete = true;
    for (size_t i = 0; i < count; i++) held[i]->mine = false;
    if (count > 0) mark_mine(pass, queues, mine);
    for (size_t i = 0; i < count; i++) {
        if (held[i]->pop != pass->pop || !held[i]->mine) {
            complete &= lose(pass, held[i], "another member has it now");
        } else if (atomic_load(&held[i]->leaving)) {
            complete &= lose(pass, held[i], "it is gained anew");
        } else if (atomic_load(&held[i]->watch.lost)) {
            complete &= lose(pass, held[i], "it was not pulled any more");
        }
    }
    consumer_queues_release(held, count);
    return complete;
}

/* The work grows with the queues, not with their square: topics have thousands. */
static void mark_mine(struct pass *pass, const struct topic_queues *queues, const bool *mine)
{
    for (size_t i = 0; i < queues->subscribe_count; i++) {
        if (!mine[i]) continue;
        struct consumer_queue *queue = consumer_queues_find(pass->consumer, &queues->subscribe[i]);
        if (queue) queue->mine = true;
        consumer_queue_unref(queue);
    }
}

/* False: to be tried again. */
static bool gain(struct pass *pass, const mqc_message_queue *place)
{
    mqc_error error;
    bool gained = false;
    mqc_status status =
        pass->pop ? consumer_queue_gain_pop(pass->consumer, place, &gained, &error)
                  : consumer_queue_gain(pass->consumer, pass->instance, place, &gained, &error);
    if (gained) pass->changed = true;
    pass->gained += gained;
    if (status == MQC_OK) return true;
    bool held = status == MQC_WRONG_STATE;
    pass->held = pass->held || held;
    LOG_AT(held && pass->consumer->held_passes < HELD_PASSES_USUAL ? MQC_LOG_DEBUG : MQC_LOG_WARN,
           LOG_REBALANCE, "group=%s topic=%s broker=%s queue=%d not taken now: %s",
           pass->consumer->group, place->topic, place->broker_name, place->queue_id, error.text);
    return false;
}

static bool drop_unsubscribed(struct pass *pass)
{
    bool complete = true;
    size_t count;
    struct consumer_queue **held = consumer_queues_list(pass->consumer, NULL, &count);
    for (size_t i = 0; i < count; i++) {
        if (!subscriptions_has(&pass->consumer->subscriptions, held[i]->place.topic))
            complete &= lose(pass, held[i], "its topic was unsubscribed");
    }
    consumer_queues_release(held, count);
    return complete;
}

static bool lose(struct pass *pass, struct consumer_queue *queue, const char *why)
{
    if (!consumer_queue_lose(queue, pass->instance, why)) return false;
    pass->changed = true;
    pass->lost++;
    return true;
}

/* A queue that another member is about to let go of is not waited for until the next pass of the
 * service: at first 100 ms, then longer and longer. */
static void come_again_soon(struct consumer *consumer, bool held)
{
    consumer->held_passes = held ? consumer->held_passes + 1 : 0;
    if (!held || atomic_exchange(&consumer->nudged, true)) return;
    consumer_ref(consumer);
    consumer->nudge = (struct pull_request){.pull = nudge, .discard = nudge_no_more};
    pull_service_execute_later(client_instance_pull_service(consumer->instance), &consumer->nudge,
                               (int64_t)SOON_MS * consumer->held_passes);
}

/* Pull thread. */
static void nudge(struct pull_request *request)
{
    struct consumer *consumer = CONTAINER_OF(request, struct consumer, nudge);
    atomic_store(&consumer->nudged, false);
    client_instance_wake_rebalance(consumer->instance);
    consumer_unref(consumer);
}

static void nudge_no_more(struct pull_request *request)
{
    struct consumer *consumer = CONTAINER_OF(request, struct consumer, nudge);
    atomic_store(&consumer->nudged, false);
    consumer_unref(consumer);
}
