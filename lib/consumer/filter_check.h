/* Whether brokers filter as a subscription asks them to, and what to do when they do not. SQL92 is
 * off in brokers unless they are configured for it. */
#ifndef CONSUMER_FILTER_CHECK_H
#define CONSUMER_FILTER_CHECK_H

#include "lib/client/client_instance.h"
#include "lib/protocol/subscription.h"

/* Asks one of the topic's brokers (MQClientInstance.checkClientInBroker). MQC_REFUSED when it will
 * not filter like this, with advice. MQC_OK too when none can be asked now: pulls will tell. Blocks
 * until the deadline at most. */
mqc_status filter_check(struct client_instance *instance, const char *group,
                        const struct subscription *subscription, int64_t deadline_ms,
                        mqc_error *error);

/* What to do about a broker's refusal of a pull, where that is known: "" when it is not. */
const char *filter_advice(int32_t code, struct slice remark);

#endif
