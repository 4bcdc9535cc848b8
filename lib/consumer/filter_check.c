/* Asking brokers about filters: when a consumer starts or subscribes, on the application's thread;
 * when a pull is refused, on the thread that read the answer. */
#include "lib/consumer/filter_check.h"

#include "lib/base/error.h"
#include "lib/base/log.h"

static bool contains(struct slice text, const char *part);

mqc_status filter_check(struct client_instance *instance, const char *group,
                        const struct subscription *subscription, int64_t deadline_ms,
                        mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    mqc_error failure;
    if (!subscription_is_sql(subscription) ||
        !route_table_any_of_topic(client_instance_routes(instance), subscription->topic, false,
                                  address))
        return MQC_OK;
    mqc_status status = client_api_check_filter(client_instance_api(instance), address,
                                                client_instance_id(instance), group, subscription,
                                                deadline_ms, &failure);
    if (status == MQC_OK) return MQC_OK;
    if (status != MQC_REFUSED) {
        log_warn(LOG_CONSUMER, "group=%s topic=%s: its filter could not be checked now: %s", group,
                 subscription->topic, failure.text);
        return MQC_OK;
    }
    return error_refused(error, failure.broker_code, "topic %s, filter \"%.100s\": %s%s",
                         subscription->topic, subscription->expression, failure.text,
                         filter_advice(failure.broker_code, slice_text(failure.text)));
}

const char *filter_advice(int32_t code, struct slice remark)
{
    if (code == RESPONSE_SYSTEM_ERROR && contains(remark, "does not support consumer to filter"))
        return ": set enablePropertyFilter=true in the broker's configuration and restart it, or "
               "subscribe by tags";
    if (code == RESPONSE_SUBSCRIPTION_PARSE_FAILED || code == RESPONSE_FILTER_DATA_NOT_EXIST)
        return ": the filter should be like \"price > 10 AND region = 'north'\"";
    return "";
}

static bool contains(struct slice text, const char *part)
{
    return text.data && memmem(text.data, text.size, part, strlen(part)) != NULL;
}
