/* The I/O thread of a cluster and its listening sockets. */
#ifndef EMBEDDED_SERVER_H
#define EMBEDDED_SERVER_H

#include <mqclient/embedded.h>

struct listener;

/* The body of the cluster's service, and what ends its wait. */
void server_run(void *cluster);
void server_interrupt(void *cluster);

/* Opens a port (0: a free one) for the name server or a broker. Under the cluster's lock. */
mqc_status server_listen(struct listener *listener, int port, mqc_error *error);
/* Closes it and all its connections. */
void server_close(struct listener *listener);

#endif
