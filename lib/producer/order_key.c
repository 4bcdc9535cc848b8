/* Order by key: the same key, the same queue, and what may be tried again there. Pure; called on
 * sending threads. */
#include "lib/producer/order_key.h"

#include "lib/protocol/codes.h"
#include "lib/protocol/java_text.h"

enum { FIRST_PAUSE_MS = 20, LONGEST_PAUSE_MS = 500 };

struct slice order_key_of(const mqc_send_options *options)
{
    if (!options || !options->order_key) return SLICE_ABSENT;
    if (options->order_key_bytes == 0) return slice_text(options->order_key);
    return slice_of(options->order_key, options->order_key_bytes);
}

size_t order_key_queue(struct slice key, size_t count)
{
    /* Java's remainder has the sign of the hash; its size is what counts there. */
    int64_t hash = java_hash(key);
    return (size_t)(hash < 0 ? -hash : hash) % count;
}

bool order_key_may_repeat(const mqc_error *failure)
{
    if (failure->maybe_done) return false;
    switch (failure->status) {
    case MQC_NO_CONNECTION:
    case MQC_NO_ROUTE:
    case MQC_TIMEOUT:
    case MQC_BUSY: return true;
    case MQC_REFUSED:
        /* SYSTEM_ERROR may come from a store that was in the midst of it. */
        return failure->broker_code != RESPONSE_SYSTEM_ERROR &&
               response_judge(failure->broker_code) == JUDGE_RETRY;
    default: return false;
    }
}

int64_t order_key_pause_ms(int attempt)
{
    int64_t pause_ms = FIRST_PAUSE_MS;
    while (--attempt > 0 && pause_ms < LONGEST_PAUSE_MS) pause_ms *= 2;
    return pause_ms < LONGEST_PAUSE_MS ? pause_ms : LONGEST_PAUSE_MS;
}
