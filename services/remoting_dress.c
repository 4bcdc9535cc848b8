/* Calls of a client whose owner changes each request before it leaves and sees its answer: see
 * remoting_dresser. On the callers' threads; answers on the thread that reads. */
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "services/remoting_private.h"

/* An asynchronous call that is observed. */
struct observed {
    struct remoting_client *client;
    remoting_done *done;
    void *arg;
    int32_t code;
    char address[];
};

static mqc_status dress(struct remoting_client *client, const char *address,
                        const struct command_to_send *request, struct remoting_dress **out,
                        mqc_error *error);
static void undress(struct remoting_dress *dressed);
static void observe(const struct remoting_client *client, const char *address, int32_t code,
                    const struct remoting_command *answer, const mqc_error *error);
static struct observed *observed_new(struct remoting_client *client, const char *address,
                                     int32_t code, remoting_done *done, void *arg);
static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg);

void remoting_client_dress(struct remoting_client *client, remoting_dresser *dresser,
                           remoting_observer *observer, void *arg)
{
    client->dresser = dresser;
    client->observer = observer;
    client->dresser_arg = arg;
}

mqc_status remoting_dressed_call(struct remoting_client *client, const char *address,
                                 const struct command_to_send *request, int64_t deadline_ms,
                                 struct remoting_response *response, mqc_error *error)
{
    struct remoting_dress *dressed;
    mqc_error failure;
    response->frame = NULL;
    mqc_status status = dress(client, address, request, &dressed, error);
    if (status != MQC_OK) return status;
    status =
        remoting_client_call(client, address, &dressed->request, deadline_ms, response, &failure);
    undress(dressed);
    bool done = status == MQC_OK;
    observe(client, address, request->code, done ? &response->command : NULL,
            done ? NULL : &failure);
    if (!done && error) *error = failure;
    return status;
}

mqc_status remoting_dressed_async(struct remoting_client *client, const char *address,
                                  const struct command_to_send *request, int64_t deadline_ms,
                                  remoting_done *done, void *arg, mqc_error *error)
{
    struct remoting_dress *dressed;
    struct observed *observed = NULL;
    mqc_error failure;
    mqc_status status = dress(client, address, request, &dressed, error);
    if (status != MQC_OK) return status;
    if (client->observer) {
        observed = observed_new(client, address, request->code, done, arg);
        if (!observed) {
            undress(dressed);
            return error_no_memory(error);
        }
        done = answered;
        arg = observed;
    }
    status = remoting_client_call_async(client, address, &dressed->request, deadline_ms, done, arg,
                                        &failure);
    undress(dressed);
    if (status == MQC_OK) return MQC_OK;
    observe(client, address, request->code, NULL, &failure);
    memory_free(observed);
    if (error) *error = failure;
    return status;
}

mqc_status remoting_dressed_oneway(struct remoting_client *client, const char *address,
                                   const struct command_to_send *request, int64_t deadline_ms,
                                   mqc_error *error)
{
    struct remoting_dress *dressed;
    mqc_status status = dress(client, address, request, &dressed, error);
    if (status != MQC_OK) return status;
    status = remoting_client_call_oneway(client, address, &dressed->request, deadline_ms, error);
    undress(dressed);
    return status;
}

static mqc_status dress(struct remoting_client *client, const char *address,
                        const struct command_to_send *request, struct remoting_dress **out,
                        mqc_error *error)
{
    struct remoting_dress *dressed = memory_allocate(sizeof *dressed);
    if (!dressed) return error_no_memory(error);
    dressed->request = *request;
    dressed->room_used = 0;
    mqc_status status = client->dresser(address, dressed, client->dresser_arg, error);
    dressed->request.dressed = true;
    if (status == MQC_OK)
        *out = dressed;
    else
        undress(dressed);
    return status;
}

static void undress(struct remoting_dress *dressed)
{
    if (dressed->request.own_credentials) explicit_bzero(&dressed->keys, sizeof dressed->keys);
    memory_free(dressed);
}

static void observe(const struct remoting_client *client, const char *address, int32_t code,
                    const struct remoting_command *answer, const mqc_error *error)
{
    if (client->observer) client->observer(address, code, answer, error, client->dresser_arg);
}

static struct observed *observed_new(struct remoting_client *client, const char *address,
                                     int32_t code, remoting_done *done, void *arg)
{
    size_t bytes = strlen(address) + 1;
    struct observed *observed = memory_allocate(sizeof *observed + bytes);
    if (!observed) return NULL;
    *observed = (struct observed){.client = client, .done = done, .arg = arg, .code = code};
    memcpy(observed->address, address, bytes);
    return observed;
}

static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct observed *observed = arg;
    observe(observed->client, observed->address, observed->code, arrival ? arrival->command : NULL,
            error);
    observed->done(arrival, error, observed->arg);
    memory_free(observed);
}
