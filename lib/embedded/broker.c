/* The life of brokers, and how messages get into their stores. See broker.h. Under the cluster's
 * lock; called by the public API and the handlers. */
#include "lib/embedded/broker.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/embedded/assignment_handler.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/delay.h"
#include "lib/embedded/long_poll.h"
#include "lib/embedded/server.h"
#include "lib/embedded/timer_messages.h"
#include "lib/embedded/transactions.h"
#include "lib/protocol/names.h"

enum { INHERIT = 1, WRITE = 2, READ = 4, TOPIC_NAME_MAX = 127, DERIVED_NAME_MAX = 255 };

static bool make_system_topics(struct broker_data *data);

/* ---- life ---- */

static struct broker_data *data_new(struct mqc_embedded *cluster)
{
    struct broker_data *data = memory_allocate_zero(1, sizeof *data);
    if (!data) return NULL;
    int number = 0;
    LIST_EACH(&cluster->stores, link) number++;
    snprintf(data->name, sizeof data->name, "broker-%c", 'a' + number % EMBEDDED_BROKERS_MAX);
    data->cluster = cluster;
    list_init(&data->scheduled);
    list_init(&data->halves);
    locks_init(&data->locks);
    pop_state_init(&data->pop);
    map_init(&data->request_modes);
    data->settings = cluster->settings;
    groups_init(&data->groups);
    message_store_init(&data->store, cluster->retention_bytes, cluster->retention_messages);
    list_append(&cluster->stores, &data->in_cluster);
    if (make_system_topics(data)) return data;
    broker_data_free(data);
    return NULL;
}

/* Everything that is lost with a broker's disk. */
static void data_clear(struct broker_data *data)
{
    delay_forget_all(data);
    transactions_forget_all(data);
    pop_forget_all(data);
    request_modes_forget_all(data);
    long_poll_forget_all(data);
    locks_done(&data->locks);
    groups_done(&data->groups);
    groups_init(&data->groups);
    message_store_done(&data->store);
    message_store_init(&data->store, data->cluster->retention_bytes,
                       data->cluster->retention_messages);
}

void broker_data_free(struct broker_data *data)
{
    data_clear(data);
    groups_done(&data->groups);
    message_store_done(&data->store);
    pop_state_done(&data->pop);
    map_done(&data->request_modes);
    list_remove(&data->in_cluster);
    memory_free(data);
}

struct broker *broker_new(struct mqc_embedded *cluster, struct broker_data *data, mqc_error *error)
{
    struct broker *broker = NULL;
    if (memory_reserve(&cluster->brokers, &cluster->broker_capacity, cluster->broker_count + 1,
                       sizeof *cluster->brokers))
        broker = memory_allocate_zero(1, sizeof *broker);
    struct broker_data *own = broker && !data ? data_new(cluster) : data;
    if (!broker || !own) {
        memory_free(broker);
        error_no_memory(error);
        return NULL;
    }
    broker->cluster = cluster;
    broker->data = own;
    for (size_t i = 0; i < cluster->broker_count; i++)
        if (cluster->brokers[i]->data == own) broker->broker_id++;
    broker->listener = (struct listener){
        .watched = WATCHED_LISTENER, .cluster = cluster, .broker = broker, .fd = -1};
    clients_init(&broker->clients);
    cluster->brokers[cluster->broker_count++] = broker;
    return broker;
}

void broker_free(struct broker *broker)
{
    clients_done(&broker->clients);
    memory_free(broker);
}

mqc_status broker_bring_up(struct broker *broker, uint16_t port, mqc_error *error)
{
    struct mqc_embedded *cluster = broker->cluster;
    bool again = broker->listener.port != 0;
    mqc_status status =
        server_listen(&broker->listener, again ? broker->listener.port : port, error);
    if (status != MQC_OK) return status;
    if (!again) { /* callers of the public API hold the address: it is written once */
        bool ipv6 = cluster->ipv6;
        const char *host = ipv6 ? EMBEDDED_HOST_6 : EMBEDDED_HOST;
        snprintf(broker->address, sizeof broker->address, "%s:%d", host,
                 (int)broker->listener.port);
        inet_pton(ipv6 ? AF_INET6 : AF_INET, host, broker->host.address);
        broker->host.ipv6 = ipv6;
        broker->host.port = broker->listener.port;
    }
    if (!make_system_topics(broker->data) ||
        !name_server_register_broker(&cluster->name_server, broker->data)) {
        server_close(&broker->listener);
        return error_no_memory(error);
    }
    broker->up = broker->in_route = true;
    delay_resume(broker->data);
    pop_resume(broker->data);
    return MQC_OK;
}

static bool any_in_route(const struct broker_data *data)
{
    for (size_t i = 0; i < data->cluster->broker_count; i++) {
        const struct broker *broker = data->cluster->brokers[i];
        if (broker->data == data && broker->in_route) return true;
    }
    return false;
}

void broker_take_down(struct broker *broker, bool keep_route, bool lose_data)
{
    broker->up = false;
    server_close(&broker->listener);
    if (!keep_route) {
        broker->in_route = false;
        if (!any_in_route(broker->data))
            name_server_forget_broker(&broker->cluster->name_server, broker->data);
    }
    if (lose_data && broker->broker_id == 0) data_clear(broker->data);
}

struct broker *broker_master(const struct broker *broker)
{
    for (size_t i = 0; i < broker->cluster->broker_count; i++) {
        struct broker *other = broker->cluster->brokers[i];
        if (other->data == broker->data && other->broker_id == 0) return other->up ? other : NULL;
    }
    return NULL;
}

/* ---- topics ---- */

/* TopicConfigManager's constructor. */
static bool make_system_topics(struct broker_data *data)
{
    const struct mqc_embedded *cluster = data->cluster;
    char reply[NAME_BYTES], revive[NAME_BYTES];
    snprintf(reply, sizeof reply, "%s_REPLY_TOPIC", cluster->name);
    snprintf(revive, sizeof revive, "rmq_sys_REVIVE_LOG_%s", cluster->name);
    const struct {
        const char *name;
        int32_t queues, permission;
    } topics[] = {
        {"SELF_TEST_TOPIC", 1, READ | WRITE},
        {NAME_DEFAULT_TOPIC, cluster->topic_queues, INHERIT | READ | WRITE},
        {"BenchmarkTest", 1024, READ | WRITE},
        {cluster->name, 16, INHERIT | READ | WRITE},
        {data->name, 1, INHERIT | READ | WRITE},
        {"OFFSET_MOVED_EVENT", 1, READ | WRITE},
        {DELAY_TOPIC, DELAY_LEVELS, READ | WRITE},
        {TRANSACTION_HALF_TOPIC, 1, READ | WRITE},
        {TRANSACTION_OP_TOPIC, 1, READ | WRITE},
        {TIMER_TOPIC, 1, READ | WRITE},
        {reply, 1, READ | WRITE},
        {revive, 8, READ | WRITE},
    };
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        struct slice name = slice_text(topics[i].name);
        bool is_template = strcmp(topics[i].name, NAME_DEFAULT_TOPIC) == 0;
        if (message_store_topic(&data->store, name)) continue;
        if (is_template && !cluster->auto_create_topics) continue;
        if (!message_store_put_topic(&data->store, name, topics[i].queues, topics[i].queues,
                                     topics[i].permission))
            return false;
    }
    return true;
}

const char *broker_topic_name_fault(struct slice name, char *text, size_t text_bytes)
{
    bool derived = slice_begins_with(name, NAME_RETRY_PREFIX) ||
                   slice_begins_with(name, NAME_DEAD_LETTER_PREFIX);
    if (slice_trim(name).size == 0) return "The specified topic is blank.";
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '%' || c == '|' || c == '-' || c == '_';
        if (fine) continue;
        snprintf(text, text_bytes,
                 "The specified topic: %.*s, contains illegal characters, allowing only "
                 "^[%%|a-zA-Z0-9_-]+$",
                 name.size < 300 ? (int)name.size : 300, name.data);
        return text;
    }
    int most = derived ? DERIVED_NAME_MAX : TOPIC_NAME_MAX;
    if (name.size <= (size_t)most) return NULL;
    snprintf(text, text_bytes, "The specified topic: %.*s, is longer than topic max length: %d",
             name.size < 300 ? (int)name.size : 300, name.data, most);
    return text;
}

struct topic *broker_topic_for_send(struct broker *broker, struct slice name,
                                    struct slice default_topic, int32_t queues)
{
    struct message_store *store = &broker->data->store;
    struct topic *topic = message_store_topic(store, name);
    if (topic) return topic;
    const struct topic *model = message_store_topic(store, default_topic);
    if (model && model->permission & INHERIT) {
        if (queues > model->write_queues) queues = model->write_queues;
        if (queues < 0) queues = 0;
        topic = message_store_put_topic(store, name, queues, queues, model->permission & ~INHERIT);
    } else if (names_is_retry_topic(name)) {
        topic = message_store_put_topic(store, name, 1, 1, READ | WRITE);
    }
    if (topic) name_server_register_topic(&broker->cluster->name_server, broker->data, topic);
    return topic;
}

struct topic *broker_topic_for_retry(struct broker_data *data, struct slice name, int32_t queues)
{
    struct topic *topic = message_store_topic(&data->store, name);
    if (topic) return topic;
    topic = message_store_put_topic(&data->store, name, queues, queues, READ | WRITE);
    if (topic) name_server_register_topic(&data->cluster->name_server, data, topic);
    return topic;
}

/* ---- storing ---- */

struct record *broker_store(struct broker_data *data, struct topic *topic,
                            struct mqc_message *message)
{
    message->stored_unix_ms = cluster_message_time(data->cluster);
    struct record *record = message_store_append(&data->store, topic, message);
    if (!record) return NULL;
    long_poll_arrived(record);
    condition_wake_all(&data->cluster->progress);
    return record;
}

struct record *broker_put(struct broker_data *data, struct topic *topic,
                          struct mqc_message *message, const char **reason)
{
    switch (timer_message_kind(message)) {
    case TIMER_NONE: break;
    case TIMER_WAITS: return timer_message_put(data, topic, message, reason);
    }
    if (delay_level_of(message) > 0) return delay_put(data, topic, message);
    return broker_store(data, topic, message);
}
