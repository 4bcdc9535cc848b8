/* Filling the caller's mqc_error, once, at the place where the failure is known. Every function
 * accepts NULL for the error and returns the status, so that `return error_set(…)` is the idiom. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <mqclient/status.h>

mqc_status error_set(mqc_error *error, mqc_status status, const char *format, ...) MQC_PRINTF(3, 4);

/* MQC_NO_MEMORY with the one text there is for it. */
mqc_status error_no_memory(mqc_error *error);

/* MQC_SYSTEM (MQC_NO_MEMORY for ENOMEM) with strerror's text behind `doing`: "open /x: …". */
mqc_status error_system(mqc_error *error, int errno_value, const char *doing);

/* MQC_REFUSED with the broker's code. */
mqc_status error_refused(mqc_error *error, int broker_code, const char *format, ...)
    MQC_PRINTF(3, 4);

/* Marks on an error that has been set; nothing happens for NULL. */
void error_mark_retryable(mqc_error *error);
void error_mark_maybe_done(mqc_error *error);

#endif
