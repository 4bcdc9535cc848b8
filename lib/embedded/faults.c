/* The list of scripted faults: see faults.h. Called by the dispatcher, the server and the public
 * API. */
#include "lib/embedded/faults.h"

#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"

struct fault {
    struct link in_list;
    int id;
    mqc_embedded_fault what; /* its strings are this one's own */
    int left;                /* of what.count */
};

static void fault_free(struct fault *fault);
static mqc_status check(const mqc_embedded_fault *fault, mqc_error *error);

void faults_init(struct faults *faults)
{
    list_init(&faults->list);
    faults->next_id = 1;
}

void faults_done(struct faults *faults)
{
    LIST_EACH_SAFE(&faults->list, link) fault_free(CONTAINER_OF(link, struct fault, in_list));
}

static void free_text(const char *text)
{
    memory_free((void *)(uintptr_t)text);
}

static void fault_free(struct fault *fault)
{
    list_remove(&fault->in_list);
    free_text(fault->what.text);
    free_text(fault->what.client);
    free_text(fault->what.topic);
    free_text(fault->what.server);
    memory_free(fault);
}

/* False: no memory. */
static bool copy_texts(mqc_embedded_fault *to, const mqc_embedded_fault *from)
{
    to->text = memory_duplicate(from->text);
    to->client = memory_duplicate(from->client);
    to->topic = memory_duplicate(from->topic);
    to->server = memory_duplicate(from->server);
    return (!from->text || to->text) && (!from->client || to->client) &&
           (!from->topic || to->topic) && (!from->server || to->server);
}

mqc_status faults_add(struct faults *faults, const mqc_embedded_fault *what, int *id,
                      mqc_error *error)
{
    mqc_status status = check(what, error);
    if (status != MQC_OK) return status;
    struct fault *fault = memory_allocate(sizeof *fault);
    if (!fault) return error_no_memory(error);
    *fault = (struct fault){.what = *what, .left = what->count};
    list_init(&fault->in_list);
    if (!copy_texts(&fault->what, what)) {
        fault_free(fault);
        return error_no_memory(error);
    }
    fault->id = faults->next_id++;
    list_append(&faults->list, &fault->in_list);
    if (id) *id = fault->id;
    return MQC_OK;
}

static mqc_status check(const mqc_embedded_fault *fault, mqc_error *error)
{
    if (fault->kind < MQC_FAULT_DELAY || fault->kind > MQC_FAULT_STALL)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "fault: kind %d is none of MQC_FAULT_DELAY … MQC_FAULT_STALL",
                         (int)fault->kind);
    if (fault->value < 0 && fault->kind != MQC_FAULT_ANSWER)
        return error_set(error, MQC_BAD_ARGUMENT, "fault: value %lld must not be negative",
                         (long long)fault->value);
    if (fault->value > INT32_MAX)
        return error_set(error, MQC_BAD_ARGUMENT, "fault: value %lld must be at most %d",
                         (long long)fault->value, INT32_MAX);
    if (fault->count < 0 || fault->skip < 0)
        return error_set(error, MQC_BAD_ARGUMENT, "fault: count and skip must not be negative");
    return MQC_OK;
}

bool faults_clear(struct faults *faults, int id)
{
    LIST_EACH(&faults->list, link)
    {
        struct fault *fault = CONTAINER_OF(link, struct fault, in_list);
        if (fault->id != id) continue;
        fault_free(fault);
        return true;
    }
    return false;
}

/* ---- matching ---- */

static bool for_connections(const struct fault *fault)
{
    return fault->what.kind == MQC_FAULT_REFUSE || fault->what.kind == MQC_FAULT_STALL;
}

static bool matches(const mqc_embedded_fault *what, const struct fault_target *target)
{
    if (what->request_code != 0 && what->request_code != target->code) return false;
    if (what->server && strcmp(what->server, target->server) != 0) return false;
    if (what->topic && !(target->topic.data && slice_is(target->topic, what->topic))) return false;
    if (!what->client) return true;
    return (target->client_id.data && slice_is(target->client_id, what->client)) ||
           (target->group.data && slice_is(target->group, what->client));
}

/* Whether it applies this time; one that was used up before is gone. */
static bool applies(struct fault *fault)
{
    if (fault->what.skip > 0) {
        fault->what.skip--;
        return false;
    }
    if (fault->what.count > 0 && fault->left == 0) return false;
    if (fault->what.count > 0) fault->left--;
    return true;
}

static void drop_used_up(struct faults *faults)
{
    LIST_EACH_SAFE(&faults->list, link)
    {
        struct fault *fault = CONTAINER_OF(link, struct fault, in_list);
        if (fault->what.count > 0 && fault->left == 0) fault_free(fault);
    }
}

struct fault_found faults_match(struct faults *faults, const struct fault_target *target)
{
    drop_used_up(faults);
    LIST_EACH(&faults->list, link)
    {
        struct fault *fault = CONTAINER_OF(link, struct fault, in_list);
        if (for_connections(fault) || !matches(&fault->what, target) || !applies(fault)) continue;
        return (struct fault_found){(int)fault->what.kind, fault->what.value, fault->what.text};
    }
    return (struct fault_found){0};
}

int faults_match_connection(struct faults *faults, const char *server)
{
    drop_used_up(faults);
    LIST_EACH(&faults->list, link)
    {
        struct fault *fault = CONTAINER_OF(link, struct fault, in_list);
        if (!for_connections(fault)) continue;
        if (fault->what.server && strcmp(fault->what.server, server) != 0) continue;
        if (applies(fault)) return (int)fault->what.kind;
    }
    return 0;
}
