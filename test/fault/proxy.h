/* A proxy between clients and one server of an embedded cluster, in a thread of its own, that
 * passes on what comes until it is told to misbehave as networks do. What it is told has been done
 * when the call returns. */
#ifndef FAULT_PROXY_H
#define FAULT_PROXY_H

#include <stdbool.h>
#include <stddef.h>

struct proxy;

struct proxy *proxy_start(const char *target); /* "127.0.0.1:port" */
void proxy_stop(struct proxy *proxy);
const char *proxy_address(const struct proxy *proxy);

/* As it is to begin with. Connections that were forgotten, or of which something was swallowed,
 * stay dead without a sign. */
void proxy_pass(struct proxy *proxy);

/* Ends all connections, and new ones at once. */
void proxy_refuse(struct proxy *proxy);

/* Takes connections and whatever comes over them, and passes nothing on, either way. */
void proxy_swallow(struct proxy *proxy);

/* Half-open connections: their other ends are gone, but the client is told nothing. New ones work.
 */
void proxy_forget(struct proxy *proxy);

/* After so many more bytes to the client (or to the server) the connection they go over ends. One
 * cut at a time. */
void proxy_cut(struct proxy *proxy, bool to_client, size_t bytes);
/* Takes a cut back; true when it has been made already. */
bool proxy_was_cut(struct proxy *proxy);

/* Connections that were made since the start. */
int proxy_connections(struct proxy *proxy);

#endif
