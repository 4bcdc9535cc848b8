/* The producers and consumers of an instance: registering, calling into them, unregistering. A role
 * is held by a count of users while it is called with no lock held; unregistering waits for that
 * count. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/client/client_instance_private.h"

/* Waits for answers from several brokers at once; counted, because late ones come later. */
struct farewell {
    struct reference references;
    struct lock lock; /* guards left */
    struct condition all_came;
    int left;
};

static struct client_role *find(struct client_instance *instance, enum client_role_kind kind,
                                struct slice group) REQUIRES(instance->lock);
static void tell_brokers(struct client_instance *instance, const struct client_role *role,
                         int64_t deadline_ms);
static void farewell_answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg);
static void farewell_unref(struct farewell *farewell);

mqc_status client_instance_register(struct client_instance *instance, struct client_role *role,
                                    mqc_error *error)
{
    lock_take(&instance->lock);
    bool taken = find(instance, role->type->kind, slice_text(role->group)) != NULL;
    if (!taken) {
        role->users = 0;
        list_append(&instance->roles, &role->link);
    }
    lock_release(&instance->lock);
    if (!taken) return MQC_OK;
    const char *kind = role->type->kind == CLIENT_ROLE_PRODUCER ? "producer" : "consumer";
    return error_set(error, MQC_WRONG_STATE,
                     "The %s group[%s] has been created before on instance %s, specify another "
                     "group or instance_name",
                     kind, role->group, instance->id);
}

void client_instance_unregister(struct client_instance *instance, struct client_role *role,
                                int64_t deadline_ms)
{
    lock_take(&instance->lock);
    list_remove(&role->link);
    while (role->users > 0) condition_wait_until(&instance->changed, &instance->lock, CLOCK_NEVER);
    /* Brokers have heartbeats and farewells in different thread pools: one that names us and is
     * handled after our farewell would leave a ghost in the group for two minutes. A broker that
     * does not answer must not take the time that the others' farewell needs. */
    int64_t halfway_ms = clock_now_ms() + (deadline_ms - clock_now_ms()) / 2;
    while (instance->heartbeats > 0 &&
           condition_wait_until(&instance->changed, &instance->lock, halfway_ms)) {
    }
    bool running = instance->state == CLIENT_RUNNING || instance->starting;
    lock_release(&instance->lock);
    if (running) tell_brokers(instance, role, deadline_ms);
}

void client_roles_each(struct client_instance *instance, enum client_role_kind kind,
                       void (*visit)(struct client_role *role, void *arg), void *arg)
{
    /* Hold all first: the list may change while they are visited. */
    struct client_role **held = NULL;
    size_t count = 0, capacity = 0;
    lock_take(&instance->lock);
    LIST_EACH(&instance->roles, item)
    {
        struct client_role *role = CONTAINER_OF(item, struct client_role, link);
        if (role->type->kind != kind) continue;
        if (!memory_reserve(&held, &capacity, count + 1, sizeof *held)) break;
        role->users++;
        held[count++] = role;
    }
    lock_release(&instance->lock);
    for (size_t i = 0; i < count; i++) {
        visit(held[i], arg);
        client_roles_release(instance, held[i]);
    }
    memory_free(held);
}

struct client_role *client_roles_hold(struct client_instance *instance, enum client_role_kind kind,
                                      struct slice group)
{
    lock_take(&instance->lock);
    struct client_role *role = find(instance, kind, group);
    if (role) role->users++;
    lock_release(&instance->lock);
    return role;
}

void client_roles_release(struct client_instance *instance, struct client_role *role)
{
    lock_take(&instance->lock);
    if (--role->users == 0) condition_wake_all(&instance->changed);
    lock_release(&instance->lock);
}

bool client_roles_has_consumer(struct client_instance *instance)
{
    bool found = false;
    lock_take(&instance->lock);
    LIST_EACH(&instance->roles, item)
    {
        const struct client_role *role = CONTAINER_OF(item, struct client_role, link);
        found = found || role->type->kind == CLIENT_ROLE_CONSUMER;
    }
    lock_release(&instance->lock);
    return found;
}

static struct client_role *find(struct client_instance *instance, enum client_role_kind kind,
                                struct slice group)
{
    LIST_EACH(&instance->roles, item)
    {
        struct client_role *role = CONTAINER_OF(item, struct client_role, link);
        if (role->type->kind == kind && slice_is(group, role->group)) return role;
    }
    return NULL;
}

/* UNREGISTER_CLIENT to every broker at once, so that a dead one does not hold up the others. */
static void tell_brokers(struct client_instance *instance, const struct client_role *role,
                         int64_t deadline_ms)
{
    struct name_list addresses;
    struct farewell *farewell = memory_allocate_zero(1, sizeof *farewell);
    if (!farewell) return;
    if (route_table_addresses(&instance->routes, false, &addresses, NULL) != MQC_OK) {
        memory_free(farewell);
        return;
    }
    reference_init(&farewell->references);
    lock_init(&farewell->lock, LOCK_RANK_PROMISE);
    condition_init(&farewell->all_came);
    struct unregister_client_header header;
    header_init(&unregister_client_layout, &header);
    header.client_id = slice_text(instance->id);
    if (role->type->kind == CLIENT_ROLE_PRODUCER)
        header.producer_group = slice_text(role->group);
    else
        header.consumer_group = slice_text(role->group);
    struct command_to_send request = {
        .code = REQUEST_UNREGISTER_CLIENT, .layout = &unregister_client_layout, .header = &header};
    for (size_t i = 0; i < addresses.count; i++) {
        reference_take(&farewell->references);
        lock_take(&farewell->lock);
        farewell->left++;
        lock_release(&farewell->lock);
        mqc_error error;
        if (remoting_client_call_async(instance->remoting, addresses.names[i], &request,
                                       deadline_ms, farewell_answered, farewell, &error) != MQC_OK)
            farewell_answered(NULL, &error, farewell);
    }
    lock_take(&farewell->lock);
    while (farewell->left > 0 &&
           condition_wait_until(&farewell->all_came, &farewell->lock, deadline_ms)) {
    }
    lock_release(&farewell->lock);
    farewell_unref(farewell);
    name_list_done(&addresses);
}

static void farewell_answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct farewell *farewell = arg;
    (void)arrival;
    if (error) log_info(LOG_LIFECYCLE, "unregister: %s", error->text);
    lock_take(&farewell->lock);
    if (--farewell->left == 0) condition_wake_all(&farewell->all_came);
    lock_release(&farewell->lock);
    farewell_unref(farewell);
}

static void farewell_unref(struct farewell *farewell)
{
    if (!reference_drop(&farewell->references)) return;
    condition_done(&farewell->all_came);
    lock_done(&farewell->lock);
    memory_free(farewell);
}
