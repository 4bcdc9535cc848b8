/* The process-wide table of client instances (MQClientManager.java): one instance a client id,
 * created once under concurrent callers, counted, and shut down with its last user. */
#ifndef CLIENT_CLIENT_MANAGER_H
#define CLIENT_CLIENT_MANAGER_H

#include "lib/client/client_instance.h"

/* Finds or creates the instance for these (filled) options, starts it and registers the role on it
 * (NULL: a user without a group, who shares what there is).
 *
 * With an instance name the client id is ip@name[@unit] and everybody who gives that name shares
 * the instance; other name servers, credentials or TLS settings under the same name are refused.
 * Without a name, equal options share, and a role whose group the shared instance has already gets
 * an instance of its own. The id is then unique: ip@pid#random. On failure nothing is left behind.
 */
mqc_status client_manager_join(const mqc_client_options *filled,
                               const struct inner_producer_type *inner, struct client_role *role,
                               struct client_instance **out, mqc_error *error);

/* Unregisters the role (NULL for a user without one) and, with the last user, shuts the instance
 * down and frees it. */
void client_manager_leave(struct client_instance *instance, struct client_role *role,
                          int64_t deadline_ms);

size_t client_manager_count(void); /* instances in the table, for tests */

#endif
