/* JSON as fastjson writes it: unquoted numbers as keys and whole objects as keys. Read by turning
 * it into standard JSON (such keys become strings) for jansson; written by the encoders of the
 * bodies. */
#ifndef PROTOCOL_RELAXED_JSON_H
#define PROTOCOL_RELAXED_JSON_H

#include <jansson.h>
#include <mqclient/status.h>

#include "lib/base/buffer.h"

/* The parsed text, released by json_decref. MQC_BAD_FRAME names `what` and the place. Nesting and
 * size are bounded. A key that was an object is a string holding that object's standard JSON. */
mqc_status relaxed_json_parse(struct slice text, const char *what, json_t **out, mqc_error *error);

/* Reading with defaults: the member's value, or `fallback` when it is absent or of another type
 * (numbers in strings are numbers, as in fastjson). Strings live as long as the object. */
const char *relaxed_json_text(const json_t *object, const char *name, const char *fallback);
int64_t relaxed_json_number(const json_t *object, const char *name, int64_t fallback);
bool relaxed_json_bool(const json_t *object, const char *name, bool fallback);

void json_put_text(struct buffer *out, struct slice text); /* quoted and escaped */

#endif
