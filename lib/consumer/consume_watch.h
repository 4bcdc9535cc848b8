/* Who looks on when a listener is called: the application's hooks and the trace
 * (ConsumeMessageTraceHookImpl.java). */
#ifndef CONSUMER_CONSUME_WATCH_H
#define CONSUMER_CONSUME_WATCH_H

#include <mqclient/consumer.h>
#include <mqclient/hooks.h>

#include "lib/protocol/message_id.h"
#include "lib/trace/trace_dispatcher.h"
#include "lib/trace/trace_record.h"

struct consume_watch {
    const char *group;
    const mqc_consume_hook *hooks;
    size_t hook_count;
    int64_t timeout_ms;             /* a call that takes longer counts as timed out */
    struct trace_dispatcher *trace; /* NULL: none */
};

/* What is kept from before a listener call until after it. */
struct consume_watched {
    int64_t began_ms, began_unix_ms;
    void *notes[MQC_CONSUME_HOOKS_MOST];
    char request_id[MESSAGE_ID_BYTES];
};

/* Whether anybody looks on; if not, there is no need for the other two. */
static inline bool consume_watch_any(const struct consume_watch *watch)
{
    return watch->hook_count > 0 || watch->trace;
}

void consume_watch_before(const struct consume_watch *watch, struct consume_watched *watched,
                          const mqc_delivery *delivery);
/* `success`: all messages were taken. */
void consume_watch_after(const struct consume_watch *watch, const struct consume_watched *watched,
                         const mqc_delivery *delivery, bool success);

#endif
