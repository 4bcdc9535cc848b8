/* Clients that come, beat and go. */
#ifndef EMBEDDED_CLIENT_HANDLER_H
#define EMBEDDED_CLIENT_HANDLER_H

#include "lib/embedded/connection.h"

/* Takes a connection that has ended out of all groups and tells those who are left. */
void client_connection_lost(struct connection *connection);

/* Ends clients that do not beat and connections without traffic; to be called every few seconds. */
void client_expire(struct mqc_embedded *cluster);

#endif
