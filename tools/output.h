/* What the tool prints: results as lines or JSON lines on standard output, errors on standard
 * error, and the exit codes that go with them. */
#ifndef TOOLS_OUTPUT_H
#define TOOLS_OUTPUT_H

#include <jansson.h>
#include <mqclient/mqclient.h>

/* "mqc: send: …" on standard error; returns EXIT_USAGE. Points at the command's help. */
int usage_error(const char *command, const char *format, ...) MQC_PRINTF(2, 3);

/* The same for what went wrong while running; returns EXIT_FAILED. */
int failure(const char *command, const char *format, ...) MQC_PRINTF(2, 3);

/* An error of the library, with `context` (may be "") before its text; returns EXIT_USAGE for a bad
 * argument, EXIT_TIMEOUT for a timeout or a reply that did not come, else EXIT_FAILED. */
int library_failure(const char *command, const char *context, const mqc_error *error);

/* Writes a line at once; false when standard output does not take it (errno says why). */
bool output_line(const void *bytes, size_t size);

/* Writes an object as one line and drops it. NULL counts as out of memory. */
bool output_json(json_t *object);

/* After a failed write: says why, unless the reader has just gone; returns EXIT_FAILED. */
int output_failure(const char *command);

/* Flushes standard output: EXIT_DONE, or as output_failure. */
int output_finish(const char *command);

/* Text for JSON. Bytes that are not UTF-8 become U+FFFD; NULL becomes null. */
json_t *json_text(const char *text);

/* Adds "body", and for a body that is not UTF-8 null and "bodyBase64". false: out of memory. */
bool json_add_body(json_t *object, mqc_view body);

#endif
