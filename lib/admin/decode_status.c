/* The figures of a running broker, which are texts on the wire (BrokerController's and
 * DefaultMessageStore's runtime info): see decode.h. */
#include <stdlib.h>

#include "lib/admin/decode.h"
#include "lib/base/error.h"

static int64_t number_of(const mqc_settings *all, const char *name)
{
    const char *text = mqc_settings_value(all, name);
    return text ? strtoll(text, NULL, 10) : 0;
}

/* Of "1.5 2.5 3.5", the averages over 10 s, 1 min and 10 min, it is the first. */
static double real_of(const mqc_settings *all, const char *name, double absent)
{
    const char *text = mqc_settings_value(all, name);
    return text && *text ? strtod(text, NULL) : absent;
}

/* Messages between two counts; 0 when the broker does not tell both. */
static int64_t difference(const mqc_settings *all, const char *later, const char *earlier)
{
    if (!mqc_settings_value(all, later) || !mqc_settings_value(all, earlier)) return 0;
    return number_of(all, later) - number_of(all, earlier);
}

mqc_status broker_status_read(mqc_broker_status *status, struct slice body, mqc_error *error)
{
    mqc_settings *all = result_add(status, 1, sizeof *all);
    if (!all) return error_no_memory(error);
    status->all = all;
    mqc_status good = table_read(status, all, body, error);
    if (good != MQC_OK) return good;
    const char *version = mqc_settings_value(all, "brokerVersionDesc");
    const char *active = mqc_settings_value(all, "brokerActive");
    status->version = version ? version : "";
    status->active = !active || slice_to_bool(slice_text(active)); /* 4.x does not tell */
    status->put_tps = real_of(all, "putTps", 0);
    status->get_tps = real_of(all, "getTransferredTps", 0);
    status->send_queue = number_of(all, "sendThreadPoolQueueSize");
    status->send_queue_wait_ms = number_of(all, "sendThreadPoolQueueHeadWaitTimeMills");
    status->pull_queue = number_of(all, "pullThreadPoolQueueSize");
    status->pull_queue_wait_ms = number_of(all, "pullThreadPoolQueueHeadWaitTimeMills");
    status->ack_queue = number_of(all, "ackThreadPoolQueueSize");
    status->ack_queue_wait_ms = number_of(all, "ackThreadPoolQueueHeadWaitTimeMills");
    status->page_cache_lock_ms = number_of(all, "pageCacheLockTimeMills");
    status->put_today = difference(all, "msgPutTotalTodayNow", "msgPutTotalTodayMorning");
    status->put_yesterday =
        difference(all, "msgPutTotalTodayMorning", "msgPutTotalYesterdayMorning");
    status->get_today = difference(all, "msgGetTotalTodayNow", "msgGetTotalTodayMorning");
    status->get_yesterday =
        difference(all, "msgGetTotalTodayMorning", "msgGetTotalYesterdayMorning");
    status->oldest_message_unix_ms = number_of(all, "earliestMessageTimeStamp");
    status->disk_ratio = real_of(all, "commitLogDiskRatio", -1);
    status->boot_unix_ms = number_of(all, "bootTimestamp");
    status->timer_read_behind_ms = number_of(all, "timerReadBehind");
    status->timer_offset_behind = number_of(all, "timerOffsetBehind");
    status->timer_messages = number_of(all, "timerCongestNum");
    status->timer_enqueue_tps = real_of(all, "timerEnqueueTps", 0);
    status->timer_dequeue_tps = real_of(all, "timerDequeueTps", 0);
    return MQC_OK;
}
