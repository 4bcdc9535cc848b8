/* What a message and the options of one send must be like before anything is sent. Pure. */
#ifndef PRODUCER_MESSAGE_CHECK_H
#define PRODUCER_MESSAGE_CHECK_H

#include <mqclient/producer.h>

/* Topic, body and properties (Validators.checkMessage). */
mqc_status message_check(const mqc_message *message, int max_body_bytes, mqc_error *error);

/* The options of one send of `message`; NULL is fine. */
mqc_status send_options_check(const mqc_send_options *options, const mqc_message *message,
                              mqc_error *error);

#endif
