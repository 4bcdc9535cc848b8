/* What the contract tests of the lite pull consumer share. */
#ifndef CONTRACT_LITE_H
#define CONTRACT_LITE_H

#include "test/contract/contract.h"

/* A consumer that is not started; without a client the cluster's, without a group one of its own.
 */
mqc_lite_consumer *lite_new(const mqc_lite_consumer_options *options);
/* The same, subscribed to all of a topic and started. */
mqc_lite_consumer *lite_subscribed(const mqc_lite_consumer_options *options, const char *topic);
/* The same, with these queues assigned. */
mqc_lite_consumer *lite_assigned(const mqc_lite_consumer_options *options,
                                 const mqc_message_queue *queues, size_t count);

/* Polls until something comes and checks that it is one message with this body. */
void lite_expect(mqc_lite_consumer *consumer, const char *body);
/* Polls until `count` messages "<prefix>N" have come, each once, and nothing else. */
void lite_expect_each(mqc_lite_consumer *consumer, const char *prefix, int count);
/* Nothing comes: something sent after it has come, and nothing before. */
void lite_expect_nothing_yet(mqc_lite_consumer *consumer);

#endif
