/* The brokers to avoid: see fault_table.h. A broker is in the table from its first fault until an
 * answer in time comes after its time away is over, so that the table is empty, and no lock taken,
 * while all is well. */
#include "lib/producer/fault_table.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/lock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/memory.h"
#include "lib/base/reference.h"

enum { ISOLATION_LATENCY_MS = 10000 }; /* what a failure counts as (updateFaultItem) */

struct faulty_broker {
    const char *topic; /* something to ask it about */
    int64_t away_until_ms;
    bool reachable;
};

struct fault_table {
    struct reference references;
    bool detects;
    atomic_size_t count; /* of brokers, to be read without the lock */
    struct lock lock;    /* guards the map */
    struct map brokers;  /* name → struct faulty_broker */
    size_t step_count;
    mqc_latency_step steps[];
};

/* A probe on its way. */
struct probe {
    struct fault_table *table; /* counted */
    char broker_name[];
};

static int64_t time_away_ms(const struct fault_table *table, int64_t latency_ms);
static void worsen(struct fault_table *table, const mqc_message_queue *queue, int64_t away_ms,
                   bool reachable);
static void recover(struct fault_table *table, const char *broker_name);
static void forget(struct fault_table *table, const char *broker_name) REQUIRES(table->lock);
static void probe_one(struct fault_table *table, struct client_instance *instance,
                      const char *broker_name, int timeout_ms);
static void probe_answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg);

struct fault_table *fault_table_new(const mqc_latency_step *steps, size_t count, bool detects)
{
    static const mqc_latency_step DEFAULTS[] = {
        {50, 0}, {100, 0}, {550, 2000}, {1800, 5000}, {3000, 6000}, {5000, 10000}, {15000, 30000}};
    if (count == 0) {
        steps = DEFAULTS;
        count = sizeof DEFAULTS / sizeof DEFAULTS[0];
    }
    struct fault_table *table = memory_allocate_zero(1, sizeof *table + count * sizeof *steps);
    if (!table) return NULL;
    reference_init(&table->references);
    table->detects = detects;
    atomic_init(&table->count, 0);
    lock_init(&table->lock, LOCK_RANK_LEAF);
    map_init(&table->brokers);
    table->step_count = count;
    memcpy(table->steps, steps, count * sizeof *steps);
    return table;
}

void fault_table_unref(struct fault_table *table)
{
    if (!table || !reference_drop(&table->references)) return;
    struct map_entry entry;
    for (size_t at = 0; map_next(&table->brokers, &at, &entry);) memory_free(entry.value);
    map_done(&table->brokers);
    lock_done(&table->lock);
    memory_free(table);
}

void fault_table_learn(struct fault_table *table, const mqc_message_queue *queue,
                       enum fault_outcome outcome, int64_t latency_ms)
{
    int64_t away_ms =
        time_away_ms(table, outcome == FAULT_ANSWERED ? latency_ms : ISOLATION_LATENCY_MS);
    bool reachable = outcome != FAULT_UNREACHABLE || !table->detects;
    if (away_ms > 0 || !reachable)
        worsen(table, queue, away_ms, reachable);
    else if (fault_table_any(table))
        recover(table, queue->broker_name);
}

enum fault_state fault_table_state(struct fault_table *table, const char *broker_name)
{
    if (!fault_table_any(table)) return FAULT_NONE;
    enum fault_state state = FAULT_NONE;
    lock_take(&table->lock);
    const struct faulty_broker *broker = map_get(&table->brokers, slice_text(broker_name));
    if (broker && !broker->reachable)
        state = FAULT_ABSENT;
    else if (broker && clock_now_ms() < broker->away_until_ms)
        state = FAULT_AVOIDED;
    lock_release(&table->lock);
    return state;
}

bool fault_table_any(struct fault_table *table)
{
    return atomic_load_explicit(&table->count, memory_order_relaxed) > 0;
}

void fault_table_probe(struct fault_table *table, struct client_instance *instance, int timeout_ms)
{
    struct name_list absent = {0};
    struct map_entry entry;
    bool done = true;
    if (!fault_table_any(table)) return;
    lock_take(&table->lock);
    for (size_t at = 0; done && map_next(&table->brokers, &at, &entry);)
        if (!((const struct faulty_broker *)entry.value)->reachable)
            done = name_list_add(&absent, slice_of(entry.key, entry.key_size));
    lock_release(&table->lock);
    for (size_t i = 0; i < absent.count; i++)
        probe_one(table, instance, absent.names[i], timeout_ms);
    name_list_done(&absent);
}

static int64_t time_away_ms(const struct fault_table *table, int64_t latency_ms)
{
    for (size_t i = table->step_count; i > 0; i--)
        if (latency_ms >= table->steps[i - 1].latency_ms) return table->steps[i - 1].away_ms;
    return 0;
}

/* A time away is never shortened. Without memory for it the broker stays in use. */
static void worsen(struct fault_table *table, const mqc_message_queue *queue, int64_t away_ms,
                   bool reachable)
{
    struct slice name = slice_text(queue->broker_name);
    int64_t until_ms = clock_deadline_ms(away_ms);
    lock_take(&table->lock);
    struct faulty_broker *broker = map_get(&table->brokers, name);
    bool known = broker != NULL;
    bool was_reachable = !known || broker->reachable;
    if (!known) {
        broker = memory_allocate_zero(1, sizeof *broker);
        if (broker && !map_put(&table->brokers, name, broker, NULL)) {
            memory_free(broker);
            broker = NULL;
        }
    }
    if (broker) {
        broker->topic = queue->topic;
        broker->reachable = reachable;
        if (until_ms > broker->away_until_ms) broker->away_until_ms = until_ms;
        atomic_store_explicit(&table->count, table->brokers.count, memory_order_relaxed);
    }
    lock_release(&table->lock);
    if (!known)
        log_info(LOG_PRODUCER, "broker=%s avoided for %lld ms%s", queue->broker_name,
                 (long long)away_ms, reachable ? "" : " and until a probe reaches it");
    else if (was_reachable && !reachable)
        log_info(LOG_PRODUCER, "broker=%s avoided until a probe reaches it", queue->broker_name);
}

/* An answer in time: reachable whatever was thought, and well again when its time is over. */
static void recover(struct fault_table *table, const char *broker_name)
{
    bool well = false;
    lock_take(&table->lock);
    struct faulty_broker *broker = map_get(&table->brokers, slice_text(broker_name));
    if (broker) {
        broker->reachable = true;
        well = clock_now_ms() >= broker->away_until_ms;
        if (well) forget(table, broker_name);
    }
    lock_release(&table->lock);
    if (well) log_info(LOG_PRODUCER, "broker=%s is well again", broker_name);
}

static void forget(struct fault_table *table, const char *broker_name)
{
    memory_free(map_remove(&table->brokers, slice_text(broker_name)));
    atomic_store_explicit(&table->count, table->brokers.count, memory_order_relaxed);
}

static void probe_one(struct fault_table *table, struct client_instance *instance,
                      const char *broker_name, int timeout_ms)
{
    char address[ADDRESS_TEXT_BYTES];
    bool known = route_table_master(client_instance_routes(instance), broker_name, address);
    const char *topic = NULL;
    lock_take(&table->lock);
    const struct faulty_broker *broker = map_get(&table->brokers, slice_text(broker_name));
    if (broker) topic = broker->topic;
    if (!known) forget(table, broker_name);
    lock_release(&table->lock);
    if (!known || !topic) return;
    size_t name_bytes = strlen(broker_name) + 1;
    struct probe *probe = memory_allocate(sizeof *probe + name_bytes);
    if (!probe) return;
    reference_take(&table->references);
    probe->table = table;
    memcpy(probe->broker_name, broker_name, name_bytes);
    struct get_max_offset_header header;
    header_init(&get_max_offset_layout, &header);
    header.topic = slice_text(topic);
    header.broker_name = slice_text(broker_name);
    struct command_to_send request = {
        .code = REQUEST_GET_MAX_OFFSET, .layout = &get_max_offset_layout, .header = &header};
    mqc_error error;
    if (remoting_client_call_async(client_instance_remoting(instance), address, &request,
                                   clock_deadline_ms(timeout_ms), probe_answered, probe,
                                   &error) != MQC_OK)
        probe_answered(NULL, &error, probe);
}

/* On the reading thread, perhaps after the producer's end. Any answer shows that it is there. */
static void probe_answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct probe *probe = arg;
    struct fault_table *table = probe->table;
    if (arrival) {
        lock_take(&table->lock);
        struct faulty_broker *broker = map_get(&table->brokers, slice_text(probe->broker_name));
        if (broker) broker->reachable = true;
        lock_release(&table->lock);
        log_info(LOG_PRODUCER, "broker=%s can be reached again", probe->broker_name);
    } else {
        log_debug(LOG_PRODUCER, "probe failed: %s", error->text);
    }
    memory_free(probe);
    fault_table_unref(table);
}
