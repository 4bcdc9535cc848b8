/* Which brokers are asked: all of a cluster, those of a topic, or the one that has a queue; see
 * admin_private.h. */
#include "lib/admin/admin_private.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/lock.h"

static mqc_status no_broker(const struct cluster_info *info, const char *cluster,
                            const char *broker_name, mqc_error *error);

mqc_status admin_cluster(struct mqc_admin *admin, struct cluster_info *out, mqc_error *error)
{
    return client_api_cluster_info(client_instance_api(admin->instance), admin_deadline(admin), out,
                                   error);
}

bool admin_is_wanted(const struct broker_data *broker, const char *cluster, const char *broker_name)
{
    return (!cluster || (broker->cluster && strcmp(broker->cluster, cluster) == 0)) &&
           (!broker_name || strcmp(broker->broker_name, broker_name) == 0);
}

mqc_status admin_change_masters(struct mqc_admin *admin, const struct cluster_info *info,
                                const char *cluster, const char *broker_name,
                                admin_broker_call *call, void *arg, mqc_error *error)
{
    mqc_error failure = {.status = MQC_OK};
    int asked = 0, failed = 0;
    for (size_t i = 0; i < info->broker_count; i++) {
        const struct broker_data *broker = &info->brokers[i];
        const char *address = broker_data_master(broker);
        if (!address || !admin_is_wanted(broker, cluster, broker_name)) continue;
        asked++;
        mqc_error each;
        if (call(admin, broker, address, arg, &each) == MQC_OK) continue;
        failed++;
        failure = each;
    }
    if (asked == 0) return no_broker(info, cluster, broker_name, error);
    if (failed == 0) return MQC_OK;
    mqc_status status = failure.status;
    if (asked == 1) {
        if (error) *error = failure;
        return status;
    }
    error_set(error, status, "%d of %d brokers failed, do it again: the last one said: %s", failed,
              asked, failure.text);
    if (!error) return status;
    error->broker_code = failure.broker_code;
    error->retryable = failure.retryable;
    error->maybe_done = failure.maybe_done || failed < asked;
    return status;
}

static const char *any_address(const struct broker_data *broker)
{
    const char *master = broker_data_master(broker);
    return master || broker->address_count == 0 ? master : broker->addresses[0].address;
}

static mqc_status ask_each(struct mqc_admin *admin, const struct broker_data *brokers, size_t count,
                           const char *cluster, int *asked, admin_broker_call *call, void *arg,
                           mqc_error *error)
{
    mqc_status status = MQC_OK;
    for (size_t i = 0; status == MQC_OK && i < count; i++) {
        const char *address = any_address(&brokers[i]);
        if (!address || !admin_is_wanted(&brokers[i], cluster, NULL)) continue;
        ++*asked;
        status = call(admin, &brokers[i], address, arg, error);
    }
    return status;
}

mqc_status admin_ask_brokers(struct mqc_admin *admin, const char *cluster, admin_broker_call *call,
                             void *arg, mqc_error *error)
{
    struct cluster_info info;
    int asked = 0;
    mqc_status status = admin_cluster(admin, &info, error);
    if (status != MQC_OK) return status;
    status = ask_each(admin, info.brokers, info.broker_count, cluster, &asked, call, arg, error);
    if (asked == 0) status = no_broker(&info, cluster, NULL, error);
    cluster_info_done(&info);
    return status;
}

mqc_status admin_ask_topic_brokers(struct mqc_admin *admin, const char *topic, bool or_all,
                                   admin_broker_call *call, void *arg, mqc_error *error)
{
    struct topic_route *route;
    int asked = 0;
    mqc_status status = client_api_route(client_instance_api(admin->instance), topic,
                                         admin_deadline(admin), &route, error);
    if (status == MQC_NO_ROUTE && or_all) return admin_ask_brokers(admin, NULL, call, arg, error);
    if (status != MQC_OK) return status;
    status = ask_each(admin, route->brokers, route->broker_count, NULL, &asked, call, arg, error);
    topic_route_unref(route);
    return status;
}

mqc_status admin_queue_master(struct mqc_admin *admin, const mqc_message_queue *queue,
                              char out[ADDRESS_TEXT_BYTES], mqc_error *error)
{
    return client_instance_queue_master(admin->instance, queue, admin_deadline(admin), out, error);
}

/* Says which clusters, or brokers, there are. */
static mqc_status no_broker(const struct cluster_info *info, const char *cluster,
                            const char *broker_name, mqc_error *error)
{
    struct buffer known;
    buffer_init(&known);
    for (size_t i = 0; i < info->broker_count; i++) {
        const struct broker_data *broker = &info->brokers[i];
        bool first = broker->cluster && broker_data_master(broker);
        for (size_t earlier = 0; !broker_name && first && earlier < i; earlier++)
            first = !broker_data_master(&info->brokers[earlier]) ||
                    !admin_is_wanted(&info->brokers[earlier], broker->cluster, NULL);
        if (first)
            buffer_put_format(&known, "%s%s", known.size > 0 ? ", " : "",
                              broker_name ? broker->broker_name : broker->cluster);
    }
    const char *names = known.size > 0 ? buffer_text(&known) : NULL;
    if (broker_name && names)
        error_set(error, MQC_NOT_FOUND,
                  "no broker %.100s with a master is registered at the name server%s%.100s: there "
                  "is %.200s",
                  broker_name, cluster ? " in cluster " : "", cluster ? cluster : "", names);
    else if (cluster && names)
        error_set(error, MQC_NOT_FOUND,
                  "no broker with a master is registered in cluster %.100s at the name server: "
                  "there is %.200s",
                  cluster, names);
    else
        error_set(error, MQC_NOT_FOUND,
                  "no broker with a master is registered at the name server: start one");
    buffer_done(&known);
    return MQC_NOT_FOUND;
}

/* The one way to wait there is in the library, here for nothing but the time. */
void admin_pause(int64_t deadline_ms)
{
    struct lock lock; /* guards nothing: conditions need one */
    struct condition never;
    lock_init(&lock, LOCK_RANK_LEAF);
    condition_init(&never);
    lock_take(&lock);
    while (condition_wait_until(&never, &lock, deadline_ms)) {
    }
    lock_release(&lock);
    condition_done(&never);
    lock_done(&lock);
}
