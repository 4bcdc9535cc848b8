/* What the constructors of clients, producers and consumers do with the option structs they are
 * given: check them once, then work on a copy in which every default is filled in. Pure apart from
 * the environment (NAMESRV_ADDR) and the wall clock; any thread. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <mqclient/options.h>

#include "lib/protocol/names.h"

/* Each returns MQC_BAD_ARGUMENT with the field, its name in docs/options.md, its value and what
 * would be right, for the first thing that is wrong: a number out of range, an empty text, a group
 * or address that cannot be, settings that contradict each other. Those of a producer and a
 * consumer check their client options too. NULL client options mean all defaults. */
mqc_status options_check_client(const mqc_client_options *options, mqc_error *error);
mqc_status options_check_tls(const mqc_client_options *options, mqc_error *error);
mqc_status options_check_namespace(const char *name_space, mqc_error *error); /* NULL is fine */
mqc_status options_check_group(const char *group, const char *name, mqc_error *error);
mqc_status options_check_topics(const char *topics, mqc_error *error); /* "a;b" */
mqc_status options_check_producer(const mqc_producer_options *options, mqc_error *error);
mqc_status options_check_push_consumer(const mqc_push_consumer_options *options, mqc_error *error);
mqc_status options_check_lite_consumer(const mqc_lite_consumer_options *options, mqc_error *error);

/* The client options that a role's options point to, when they do: a copy in `whole`, which *given
 * then points to. See sized_struct.h. */
mqc_status options_take_client(const mqc_client_options **given, size_t size,
                               mqc_client_options *whole, mqc_error *error);

/* The next name in a list of topics, "a;b"; false at the end. */
bool options_next_topic(struct slice *rest, char topic[NAME_BYTES]);

/* clang-format off: the table keeps its columns */
/* A copy of checked options with zeros replaced by defaults. Texts are still the caller's (or the
 * environment's). What the fields say afterwards where the public headers allow -1 or NULL:
 *
 *   client         name_servers           $NAMESRV_ADDR when NULL; NULL: ask name_server_domain
 *                  instance_name          NULL also for "DEFAULT", a unique name in Java
 *                  idle_close_ms          -1: never close, as clock_deadline_ms takes it
 *   producer       client                 as given, perhaps NULL
 *                  attempt_timeout_ms     -1: no cap, as clock_deadline_ms takes it
 *                  retries, async_retries 0: none
 *                  compress_above_bytes   -1: never
 *   push consumer  client                 as given, perhaps NULL
 *                  max_reconsume_times    0: the first refusal leads to the dead letter queue;
 *                                         INT32_MAX by default with an orderly listener
 *                  from_unix_ms           set whatever `from` is
 *                  topic_max_…            -1: no limit
 *
 * All other fields are then within their ranges. */
/* clang-format on */
mqc_client_options options_fill_client(const mqc_client_options *options);
mqc_producer_options options_fill_producer(const mqc_producer_options *options);
mqc_push_consumer_options options_fill_push_consumer(const mqc_push_consumer_options *options);
mqc_lite_consumer_options options_fill_lite_consumer(const mqc_lite_consumer_options *options);

/* A lite consumer's options that a push consumer has, too: to and fro. */
void options_lite_to_shared(const mqc_lite_consumer_options *lite,
                            mqc_push_consumer_options *shared);
void options_shared_to_lite(const mqc_push_consumer_options *shared,
                            mqc_lite_consumer_options *lite);

/* ---- options_hooks.c, for the checks above ---- */
mqc_status options_check_trace(const mqc_client_options *options, mqc_error *error);
mqc_status options_check_hooks(const char *what, const void *hooks, size_t count, size_t most,
                               mqc_error *error);

#endif
