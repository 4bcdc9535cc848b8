/* Reads a JSON header of the flat shape that RocketMQ's peers write, in one pass and without a copy
 * of strings that have no escapes. Whatever else JSON can be is left to jansson (json_header.c). */
#ifndef PROTOCOL_HEADER_SCANNER_H
#define PROTOCOL_HEADER_SCANNER_H

#include "lib/protocol/remoting_command.h"

enum scan_result {
    SCAN_DONE,
    SCAN_NOT_UNDERSTOOD, /* perhaps good JSON all the same; the command owns nothing */
    SCAN_NO_MEMORY
};

enum scan_result header_scan(struct remoting_command *command, struct slice header);

#endif
