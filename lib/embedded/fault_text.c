/* Faults as text, as the tool's --fault takes them: "kind[=value][:name=value]…". */
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/embedded/faults.h"

static const struct {
    const char *name;
    mqc_embedded_fault_kind kind;
    const char *needs; /* what its value says; NULL: it can do without */
} KINDS[] = {
    {"delay", MQC_FAULT_DELAY, "milliseconds"},
    {"answer", MQC_FAULT_ANSWER, "a response code"},
    {"drop", MQC_FAULT_DROP, NULL},
    {"no-answer", MQC_FAULT_NO_ANSWER, NULL},
    {"lose", MQC_FAULT_LOSE, NULL},
    {"close", MQC_FAULT_CLOSE, NULL},
    {"garbage", MQC_FAULT_GARBAGE, NULL},
    {"duplicate", MQC_FAULT_DUPLICATE, NULL},
    {"wrong-opaque", MQC_FAULT_WRONG_OPAQUE, NULL},
    {"trickle", MQC_FAULT_TRICKLE, NULL},
    {"refuse", MQC_FAULT_REFUSE, NULL},
    {"stall", MQC_FAULT_STALL, NULL},
};

static mqc_status set_number(const char *name, const char *text, int *out, mqc_error *error)
{
    if (text && slice_to_int32(slice_text(text), out)) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT, "fault: %s=%s: a whole number is needed", name,
                     text ? text : "");
}

static mqc_status set_kind(const char *name, const char *value, mqc_embedded_fault *out,
                           mqc_error *error)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(KINDS[i].name, name) != 0) continue;
        int number = 0;
        if (!value && KINDS[i].needs)
            return error_set(error, MQC_BAD_ARGUMENT, "fault: %s needs %s: %s=NUMBER", name,
                             KINDS[i].needs, name);
        out->kind = KINDS[i].kind;
        if (value) {
            mqc_status status = set_number(name, value, &number, error);
            if (status != MQC_OK) return status;
        }
        out->value = number;
        return MQC_OK;
    }
    return error_set(error, MQC_BAD_ARGUMENT,
                     "fault: \"%.40s\" is no kind: use delay, answer, drop, no-answer, lose, "
                     "close, garbage, duplicate, wrong-opaque, trickle, refuse or stall",
                     name);
}

static mqc_status set_condition(const char *name, const char *value, mqc_embedded_fault *out,
                                mqc_error *error)
{
    if (strcmp(name, "code") == 0) return set_number(name, value, &out->request_code, error);
    if (strcmp(name, "count") == 0) return set_number(name, value, &out->count, error);
    if (strcmp(name, "skip") == 0) return set_number(name, value, &out->skip, error);
    const char **place = strcmp(name, "client") == 0   ? &out->client
                         : strcmp(name, "topic") == 0  ? &out->topic
                         : strcmp(name, "server") == 0 ? &out->server
                         : strcmp(name, "text") == 0   ? &out->text
                                                       : NULL;
    if (!place)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "fault: \"%.40s\" is no condition: use code, client, topic, server, skip, "
                         "count or text",
                         name);
    *place = value ? value : "";
    return MQC_OK;
}

mqc_status fault_parse(char *words, mqc_embedded_fault *out, mqc_error *error)
{
    mqc_status status = MQC_OK;
    *out = (mqc_embedded_fault){0};
    char *rest = NULL;
    char *word = strtok_r(words, ":", &rest);
    for (bool first = true; word && status == MQC_OK; word = strtok_r(NULL, ":", &rest)) {
        char *value = strchr(word, '=');
        if (value) *value++ = '\0';
        status = first ? set_kind(word, value, out, error) : set_condition(word, value, out, error);
        first = false;
    }
    if (status == MQC_OK && out->kind == 0)
        return error_set(error, MQC_BAD_ARGUMENT, "fault: the text is empty");
    return status;
}
