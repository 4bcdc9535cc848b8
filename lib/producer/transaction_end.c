/* END_TRANSACTION (EndTransactionRequestHeader). Java sends it oneway; here the broker's answer is
 * waited for, so that a commit that did not reach it is known. On the thread that has run the
 * transaction, and on callback threads for checks. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/producer/sender.h"
#include "lib/producer/transactions.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"

#define DEFAULT_REGION "DefaultRegion" /* MixAll.DEFAULT_TRACE_REGION_ID */

static int32_t flag_of(mqc_transaction_state state)
{
    switch (state) {
    case MQC_TRANSACTION_COMMIT: return MESSAGE_FLAG_COMMIT;
    case MQC_TRANSACTION_ROLLBACK: return MESSAGE_FLAG_ROLLBACK;
    default: return 0;
    }
}

/* LocalTransactionState.java */
static const char *java_state(mqc_transaction_state state)
{
    switch (state) {
    case MQC_TRANSACTION_COMMIT: return "COMMIT_MESSAGE";
    case MQC_TRANSACTION_ROLLBACK: return "ROLLBACK_MESSAGE";
    default: return "UNKNOW";
    }
}

/* EndTransactionTraceHookImpl: also of what the broker may not hear. */
static void record(struct tracing *tracing, const char *group, const struct transaction_end *end)
{
    struct slice region = message_property(end->message, PROPERTY_MESSAGE_REGION);
    struct buffer bytes;
    buffer_init(&bytes);
    trace_record_end(&bytes, &(struct trace_end){
                                 .unix_ms = clock_unix_ms(),
                                 .region = region.data ? region : SLICE_LITERAL(DEFAULT_REGION),
                                 .group = slice_text(group),
                                 .topic = slice_text(end->message->topic),
                                 .message_id = slice_text(end->message_id),
                                 .tags = message_property(end->message, PROPERTY_TAGS),
                                 .keys = message_property(end->message, PROPERTY_KEYS),
                                 .broker_address = slice_text(end->place->address),
                                 .transaction_id = slice_text(end->transaction_id),
                                 .state = java_state(end->state),
                                 .from_check = end->from_check,
                             });
    tracing_put(tracing, &bytes, end->message, slice_text(end->message_id));
    buffer_done(&bytes);
}

const char *transaction_state_name(mqc_transaction_state state)
{
    switch (state) {
    case MQC_TRANSACTION_COMMIT: return "COMMIT";
    case MQC_TRANSACTION_ROLLBACK: return "ROLLBACK";
    default: return "UNKNOWN";
    }
}

mqc_status transaction_end_tell(struct sender *sender, const struct transaction_end *end,
                                int64_t deadline_ms, mqc_error *error)
{
    struct end_transaction_header header;
    header_init(&end_transaction_layout, &header);
    header.topic = slice_text(end->topic);
    header.producer_group = slice_text(sender->origin.group);
    header.transaction_table_offset = end->place->table_offset;
    header.commit_log_offset = end->place->commit_log_offset;
    header.commit_or_rollback = flag_of(end->state);
    header.from_transaction_check = end->from_check;
    header.message_id = slice_text(end->message_id);
    header.transaction_id = slice_text(end->transaction_id);
    header.broker_name = slice_text(end->broker_name);
    struct command_to_send request = {.code = REQUEST_END_TRANSACTION,
                                      .layout = &end_transaction_layout,
                                      .header = &header,
                                      .remark =
                                          end->remark ? slice_text(end->remark) : SLICE_ABSENT};
    struct remoting_client *remoting = client_instance_remoting(sender->instance);
    const char *address = end->place->address;
    if (sender->watch.tracing) record(sender->watch.tracing, sender->watch.group, end);
    if (end->state == MQC_TRANSACTION_UNKNOWN)
        return remoting_client_call_oneway(remoting, address, &request, deadline_ms, error);
    struct remoting_response response;
    mqc_status status = client_api_call(client_instance_api(sender->instance), address, &request,
                                        deadline_ms, &response, error);
    if (status == MQC_OK) remoting_response_done(&response);
    return status;
}
