/* The two ids of a message: the sender's unique id (MessageClientIDSetter.java) and the broker's
 * offset id, which is an address and a commit log offset (MessageDecoder.createMessageId). */
#ifndef PROTOCOL_MESSAGE_ID_H
#define PROTOCOL_MESSAGE_ID_H

#include <mqclient/status.h>

#include "lib/base/slice.h"

/* An IP address with a port, as stored messages carry it. */
struct host {
    uint8_t address[16]; /* the first 4 bytes of it for IPv4 */
    bool ipv6;
    int32_t port;
};

enum {
    HOST_TEXT_BYTES = 64, /* "[…]:port" and a zero byte */
    MESSAGE_ID_BYTES = 64 /* at most 56 hex digits and a zero byte */
};

/* Sets the address that unique ids of this process contain; before that a random one is used. */
void message_id_set_host(const struct host *host);

/* A new unique id: 32 hex digits (IPv4 form), with a zero byte. Any thread, no lock, never twice.
 */
void message_id_make(char out[MESSAGE_ID_BYTES]);

void offset_id_make(const struct host *store_host, int64_t commit_log_offset,
                    char out[MESSAGE_ID_BYTES]);
/* MQC_BAD_ARGUMENT for anything that is not 32 or 56 hex digits. */
mqc_status offset_id_parse(struct slice id, struct host *store_host, int64_t *commit_log_offset,
                           mqc_error *error);

void host_format(const struct host *host, char out[HOST_TEXT_BYTES]); /* "1.2.3.4:5" "[::1]:5" */

#endif
