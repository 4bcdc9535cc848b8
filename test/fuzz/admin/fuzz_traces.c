/* Traces as any client may have written them into a trace topic: the first line is the id of the
 * message that is asked for, the rest two bodies with a zero byte between them. */
#include "lib/admin/decode.h"
#include "lib/base/memory.h"
#include "test/fuzz/fuzz.h"

static void check_events(const mqc_trace *trace)
{
    int64_t last_ms = INT64_MIN;
    for (size_t i = 0; i < trace->count; i++) {
        const mqc_trace_event *event = trace->events[i];
        FUZZ_HOLDS(event->unix_ms >= last_ms);
        FUZZ_HOLDS(event->region && event->group && event->topic && event->message_id);
        FUZZ_HOLDS(event->tags && event->keys && event->broker_address && event->client_host);
        FUZZ_HOLDS(event->offset_message_id && event->message_type && event->result);
        FUZZ_HOLDS(event->transaction_state);
        last_ms = event->unix_ms;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice rest = slice_of(bytes, size);
    char *id = slice_duplicate(slice_split(&rest, "\n"));
    mqc_trace *trace = result_new(sizeof *trace);
    bool good = id && trace;
    const char *zero = rest.data ? memchr(rest.data, 0, rest.size) : NULL;
    struct slice second = SLICE_ABSENT;
    if (zero) {
        size_t first = (size_t)(zero - rest.data);
        second = slice_of(zero + 1, rest.size - first - 1);
        rest.size = first;
    }
    good = good && trace_add(trace, rest, id, "10.0.0.1:1", NULL) == MQC_OK;
    good = good && trace_add(trace, second, id, "10.0.0.2:2", NULL) == MQC_OK;
    if (good) {
        trace_finish(trace);
        check_events(trace);
    }
    mqc_admin_result_free(trace);
    memory_free(id);
    return 0;
}
