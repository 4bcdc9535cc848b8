/* What the tests of administration share. */
#ifndef CONTRACT_ADMINS_H
#define CONTRACT_ADMINS_H

#include "test/contract/collector.h"

/* A handle on the cluster; free it with mqc_admin_free. */
mqc_admin *admins_new(void);

/* For consumers whose commits are waited for. */
mqc_client_options admins_hasty_client(void);

/* Waits until a group's lag in a topic, as brokers know it, is `lag` (-1: known at all). */
void admins_await_lag(mqc_admin *admin, const char *group, const char *topic, int64_t lag);

/* Waits until so many members of a group are connected. */
void admins_await_members(mqc_admin *admin, const char *group, size_t count);

/* Waits until a topic's queues hold so many messages: a broker acknowledges a message a moment
 * before it puts it into its queue. */
void admins_await_messages(mqc_admin *admin, const char *topic, int64_t count);

/* One member that has consumed so many messages of a topic and committed that; ended then. */
void admins_consume(const char *group, const char *topic, size_t count);

bool admins_has_name(const mqc_name_list *list, const char *name);

#endif
