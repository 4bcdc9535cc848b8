/* The table of instances: see client_manager.h. The lock is never held while an instance starts or
 * shuts down; an entry's count of users keeps it alive meanwhile. */
#include "lib/client/client_manager.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/bug.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/memory.h"
#include "lib/base/process.h"
#include "lib/net/address.h"
#include "lib/protocol/message_id.h"

struct managed {
    char *key;      /* in the table: what makes clients share */
    char *settings; /* cluster, credentials, TLS: must be equal under one name */
    struct client_instance *instance;
    int users;        /* guarded by the manager's lock */
    bool listed;      /* still in the table */
    struct link link; /* of all instances, listed or not */
};

static struct {
    pthread_once_t once;
    struct lock lock; /* guards everything below */
    struct map table; /* key → managed */
    struct link all;
} manager = {.once = PTHREAD_ONCE_INIT};

static void manager_init(void);
static void set_message_id_host(void);
static mqc_status acquire(const mqc_client_options *filled, const struct inner_producer_type *inner,
                          int copy, struct managed **out, mqc_error *error);
static mqc_status find(const mqc_client_options *filled, const char *key, const char *settings,
                       struct managed *fresh, struct managed **out, mqc_error *error);
static mqc_status create(const mqc_client_options *filled, const struct inner_producer_type *inner,
                         const char *key, const char *settings, struct managed **out,
                         mqc_error *error);
static void release(struct managed *managed, int64_t deadline_ms);
static void unlist(struct managed *managed) REQUIRES(manager.lock);
static void managed_free(struct managed *managed);
static char *describe_settings(const mqc_client_options *filled);
static char *make_key(const mqc_client_options *filled, const char *settings, int copy);
static void make_client_id(const mqc_client_options *filled, char *out, size_t bytes);

mqc_status client_manager_join(const mqc_client_options *filled,
                               const struct inner_producer_type *inner, struct client_role *role,
                               struct client_instance **out, mqc_error *error)
{
    pthread_once(&manager.once, manager_init);
    for (int copy = 0;; copy++) {
        struct managed *managed;
        mqc_status status = acquire(filled, inner, copy, &managed, error);
        if (status != MQC_OK) return status;
        status = client_instance_start(managed->instance, error);
        bool started = status == MQC_OK;
        if (started && role) status = client_instance_register(managed->instance, role, error);
        if (status == MQC_OK) {
            *out = managed->instance;
            return MQC_OK;
        }
        if (!started) {
            /* It leaves the table, so that the next handle can try afresh. */
            lock_take(&manager.lock);
            unlist(managed);
            lock_release(&manager.lock);
        }
        release(managed, 0);
        /* Only a group that is taken is worth another instance, and only without a name. */
        if (!started || filled->instance_name) return status;
    }
}

void client_manager_leave(struct client_instance *instance, struct client_role *role,
                          int64_t deadline_ms)
{
    if (role) client_instance_unregister(instance, role, deadline_ms);
    struct managed *found = NULL;
    lock_take(&manager.lock);
    LIST_EACH(&manager.all, item)
    {
        struct managed *managed = CONTAINER_OF(item, struct managed, link);
        if (managed->instance == instance) found = managed;
    }
    lock_release(&manager.lock);
    BUG_IF(!found, "client instance is not in the manager");
    release(found, deadline_ms);
}

size_t client_manager_count(void)
{
    pthread_once(&manager.once, manager_init);
    lock_take(&manager.lock);
    size_t count = manager.table.count;
    lock_release(&manager.lock);
    return count;
}

static void manager_init(void)
{
    set_message_id_host();
    lock_init(&manager.lock, LOCK_RANK_MANAGER);
    map_init(&manager.table);
    list_init(&manager.all);
}

/* Message ids begin with this host's address, as Java's do; one of the ids' own making otherwise.
 */
static void set_message_id_host(void)
{
    char text[ADDRESS_HOST_BYTES];
    struct host host = {.port = 0};
    address_of_this_host(text);
    if (inet_pton(AF_INET, text, host.address) == 1) message_id_set_host(&host);
}

/* Finds or creates an instance and counts the caller as its user. `copy` > 0 asks for the n-th
 * further instance of the same settings, for groups that the earlier ones have already. */
static mqc_status acquire(const mqc_client_options *filled, const struct inner_producer_type *inner,
                          int copy, struct managed **out, mqc_error *error)
{
    char *settings = describe_settings(filled);
    char *key = settings ? make_key(filled, settings, copy) : NULL;
    struct managed *fresh = NULL;
    mqc_status status =
        key ? find(filled, key, settings, NULL, out, error) : error_no_memory(error);
    if (status == MQC_NOT_FOUND) {
        /* Made without the lock, since it reads files; of several makers the first one counts. */
        status = create(filled, inner, key, settings, &fresh, error);
        if (status == MQC_OK) status = find(filled, key, settings, fresh, out, error);
    }
    if (status == MQC_OK)
        log_info(LOG_LIFECYCLE,
                 *out == fresh ? "Created new MQClientInstance for clientId:[%s]"
                               : "Returned Previous MQClientInstance for clientId:[%s]",
                 client_instance_id((*out)->instance));
    if (fresh && (status != MQC_OK || *out != fresh)) managed_free(fresh);
    memory_free_secret(key);
    memory_free_secret(settings);
    return status;
}

/* Counts the caller as a user of the instance with this key: the one in the table, else `fresh`,
 * which is then put there. MQC_NOT_FOUND when there is neither. */
static mqc_status find(const mqc_client_options *filled, const char *key, const char *settings,
                       struct managed *fresh, struct managed **out, mqc_error *error)
{
    mqc_status status = MQC_OK;
    lock_take(&manager.lock);
    struct managed *managed = map_get(&manager.table, slice_text(key));
    if (!managed && fresh) {
        managed = fresh;
        if (map_put(&manager.table, slice_text(key), managed, NULL)) {
            managed->listed = true;
            list_append(&manager.all, &managed->link);
        } else {
            status = error_no_memory(error);
        }
    } else if (!managed) {
        status = MQC_NOT_FOUND;
    } else if (strcmp(managed->settings, settings) != 0) {
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "instance_name \"%s\" is in use with other name servers, credentials, "
                           "namespaces, hooks or TLS settings: give each cluster an instance name "
                           "of its own",
                           filled->instance_name);
    }
    if (status == MQC_OK) {
        managed->users++;
        *out = managed;
    }
    lock_release(&manager.lock);
    return status;
}

static mqc_status create(const mqc_client_options *filled, const struct inner_producer_type *inner,
                         const char *key, const char *settings, struct managed **out,
                         mqc_error *error)
{
    struct managed *managed = memory_allocate_zero(1, sizeof *managed);
    if (!managed) return error_no_memory(error);
    char client_id[512];
    make_client_id(filled, client_id, sizeof client_id);
    managed->key = memory_duplicate(key);
    managed->settings = memory_duplicate(settings);
    list_init(&managed->link);
    mqc_status status =
        managed->key && managed->settings
            ? client_instance_new(filled, client_id, inner, &managed->instance, error)
            : error_no_memory(error);
    if (status == MQC_OK)
        *out = managed;
    else
        managed_free(managed);
    return status;
}

/* Drops one user; the last one shuts down, outside the lock, after the instance has left the table.
 */
static void release(struct managed *managed, int64_t deadline_ms)
{
    lock_take(&manager.lock);
    bool last = --managed->users == 0;
    if (last) {
        unlist(managed);
        list_remove(&managed->link);
    }
    lock_release(&manager.lock);
    if (!last) return;
    client_instance_shutdown(managed->instance, deadline_ms);
    managed_free(managed);
}

static void unlist(struct managed *managed)
{
    if (managed->listed) map_remove(&manager.table, slice_text(managed->key));
    managed->listed = false;
}

static void managed_free(struct managed *managed)
{
    client_instance_free(managed->instance);
    memory_free_secret(managed->key);
    memory_free_secret(managed->settings);
    memory_free(managed);
}

/* Everything that makes two clients talk to different brokers or in different ways. */
static char *describe_settings(const mqc_client_options *filled)
{
    const mqc_tls_options *tls = &filled->tls;
    const char *texts[] = {filled->name_servers,
                           filled->name_servers ? NULL : filled->name_server_domain,
                           filled->unit_name,
                           filled->client_ip,
                           filled->access_key,
                           filled->secret_key,
                           filled->security_token,
                           tls->enabled ? tls->ca_file : NULL,
                           tls->enabled ? tls->certificate_file : NULL,
                           tls->enabled ? tls->key_file : NULL,
                           tls->enabled ? tls->key_password : NULL,
                           tls->enabled ? tls->server_name : NULL,
                           tls->enabled ? filled->tls_crl_file : NULL,
                           filled->address_map,
                           filled->name_space,
                           filled->name_space_v2};
    struct buffer text;
    buffer_init(&text);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        buffer_put_text(&text, texts[i] ? texts[i] : "");
        buffer_put_8(&text, '\n');
    }
    buffer_put_format(&text, "tls=%d%d routes=%d heartbeat=%d persist=%d", tls->enabled,
                      tls->skip_verify, filled->route_refresh_ms, filled->heartbeat_ms,
                      filled->persist_offsets_ms);
    buffer_put_format(&text, " connect=%d request=%d idle=%d callbacks=%d",
                      filled->connect_timeout_ms, filled->request_timeout_ms, filled->idle_close_ms,
                      filled->callback_threads);
    buffer_put_format(&text, " map=%p,%p hooks=%p,%zu unit=%d vip=%d",
                      (void *)(uintptr_t)filled->map_address, filled->map_address_arg,
                      (const void *)filled->rpc_hooks, filled->rpc_hook_count, filled->unit_mode,
                      filled->vip_channel);
    buffer_put_format(&text, " credentials=%p,%p", (void *)(uintptr_t)filled->get_credentials,
                      filled->get_credentials_arg);
    buffer_put_format(&text, " stats=%p,%p,%d", (void *)(uintptr_t)filled->stats_listener,
                      filled->stats_listener_arg, filled->stats_interval_ms);
    char *taken = buffer_take(&text);
    buffer_done(&text);
    return taken;
}

static char *make_key(const mqc_client_options *filled, const char *settings, int copy)
{
    struct buffer key;
    buffer_init(&key);
    /* A forked child has our memory but none of our threads: it never shares with its parent. */
    buffer_put_format(&key, "%u ", process_fork_generation());
    if (filled->instance_name)
        buffer_put_format(&key, "name %s@%s", filled->instance_name,
                          filled->unit_name ? filled->unit_name : "");
    else
        buffer_put_format(&key, "shared %d\n%s", copy, settings);
    char *taken = buffer_take(&key);
    buffer_done(&key);
    return taken;
}

/* ip@instanceName[@unitName]; without a name one that no other client in any container has. */
static void make_client_id(const mqc_client_options *filled, char *out, size_t bytes)
{
    char host[ADDRESS_HOST_BYTES], unique[64];
    if (filled->client_ip)
        snprintf(host, sizeof host, "%s", filled->client_ip);
    else
        address_of_this_host(host);
    snprintf(unique, sizeof unique, "%ld#%016llx", (long)getpid(),
             (unsigned long long)random_u64());
    const char *unit = filled->unit_name ? filled->unit_name : "";
    snprintf(out, bytes, "%s@%s%s%s", host, filled->instance_name ? filled->instance_name : unique,
             unit[0] ? "@" : "", unit);
}
