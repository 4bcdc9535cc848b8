/* Addresses as configuration and routes write them: "host:port", "1.2.3.4:9876", "[::1]:9876", and
 * as Java brokers with IPv6 register, "::1:10911". */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <mqclient/status.h>

#include "lib/base/slice.h"

enum { ADDRESS_TEXT_BYTES = 300, ADDRESS_HOST_BYTES = 256 };

/* A name or number with a port, not resolved. */
struct address {
    char host[ADDRESS_HOST_BYTES]; /* without brackets */
    uint16_t port;
};

/* MQC_BAD_ARGUMENT says what an address looks like. */
mqc_status address_parse(struct slice text, struct address *out, mqc_error *error);
void address_format(const struct address *address, char out[ADDRESS_TEXT_BYTES]);
bool address_is_numeric(const struct address *address);

struct socket_address {
    struct sockaddr_storage storage;
    socklen_t size;
};

/* Resolves a name; blocks for names, never for numbers. Returns up to `capacity` addresses, IPv4
 * and IPv6 in turn. The error (MQC_NO_CONNECTION) names the host. */
mqc_status address_resolve(const struct address *address, struct socket_address *out,
                           size_t capacity, size_t *count, mqc_error *error);

/* The numbers of a socket's address; an empty host for what is neither IPv4 nor IPv6. */
void address_of_socket(const struct socket_address *from, struct address *out);

/* This host's address as the Java client would choose it (NetworkUtil.getLocalAddress): a public
 * IPv4, else the last private one, else IPv6 (in brackets, without scope), else 127.0.0.1. */
void address_of_this_host(char out[ADDRESS_HOST_BYTES]);

struct ifaddrs;
/* The choice itself, from a given list (NULL: empty). */
void address_choose(const struct ifaddrs *interfaces, char out[ADDRESS_HOST_BYTES]);

#endif
