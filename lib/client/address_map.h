/* From the address that a broker advertises to the one that leads to it from here: containers and
 * clusters behind NAT advertise addresses of a network that clients are not in. Applied where
 * routes and the cluster's brokers are decoded, and nowhere else: all else sees mapped addresses
 * only. */
#ifndef CLIENT_ADDRESS_MAP_H
#define CLIENT_ADDRESS_MAP_H

#include <mqclient/client.h>

#include "lib/protocol/topic_route.h"

/* MQC_BAD_ARGUMENT says what an entry of the table looks like. */
mqc_status address_map_check(const char *table, mqc_error *error);

/* Maps all addresses of the brokers, which nobody else sees yet, with the function and the table of
 * the options. IPv6 addresses without brackets get theirs. MQC_BAD_ARGUMENT when the function gives
 * what is no address. */
mqc_status address_map_apply(const mqc_client_options *options, struct broker_data *brokers,
                             size_t count, mqc_error *error);

#endif
