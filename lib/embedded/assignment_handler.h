/* How groups get the messages of topics: what QUERY_ASSIGNMENT's handler keeps in a broker. */
#ifndef EMBEDDED_ASSIGNMENT_HANDLER_H
#define EMBEDDED_ASSIGNMENT_HANDLER_H

#include "lib/embedded/broker.h"

void request_modes_forget_all(struct broker_data *data);

#endif
