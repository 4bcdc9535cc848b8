/* Changing requests on their way out: see outgoing.h (NamespaceUtil.java, NamespaceRpcHook.java,
 * RPCHook.java). On the callers' threads; answers on the thread that reads. */
#include "lib/client/outgoing.h"

#include <mqclient/hooks.h>

#include "lib/base/bug.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/namespace.h"

/* Before: the request that is changed; after: its answer or error. */
struct mqc_rpc {
    const char *address;
    int32_t code;
    struct remoting_dress *dress;
    const struct remoting_command *answer;
    const mqc_error *error;
};

static remoting_dresser dress;
static remoting_observer observe;
static void change_header(const mqc_client_options *options, struct remoting_dress *dress);
static bool is_name(const struct header_field *field);
static mqc_status add_field(struct remoting_dress *dress, struct slice name, struct slice value,
                            mqc_error *error);
static bool has_field(const struct command_to_send *request, struct slice name);
static bool keep(struct remoting_dress *dress, struct slice *text);
static mqc_status run_hooks(const mqc_client_options *options, const char *address,
                            struct remoting_dress *dress, mqc_error *error);
static mqc_status take_credentials(const mqc_client_options *options, struct remoting_dress *dress,
                                   mqc_error *error);

void outgoing_set_up(const mqc_client_options *options, struct remoting_client *remoting)
{
    bool observed = false;
    for (size_t i = 0; i < options->rpc_hook_count; i++)
        observed = observed || options->rpc_hooks[i].after;
    if (options->name_space || options->name_space_v2 || options->unit_mode ||
        options->rpc_hook_count > 0 || options->get_credentials)
        remoting_client_dress(remoting, dress, observed ? observe : NULL,
                              (void *)(uintptr_t)options);
}

static mqc_status dress(const char *address, struct remoting_dress *dress, void *arg,
                        mqc_error *error)
{
    const mqc_client_options *options = arg;
    struct command_to_send *request = &dress->request;
    mqc_status status = MQC_OK;
    if (request->layout && (options->name_space || options->unit_mode))
        change_header(options, dress);
    BUG_IF(request->extra_count > REMOTING_EXTRA_MOST, "%zu extra fields", request->extra_count);
    if (request->extra_count > 0)
        memcpy(dress->extra, request->extra, request->extra_count * sizeof dress->extra[0]);
    request->extra = dress->extra;
    if (options->name_space_v2) {
        /* MixAll.RPC_REQUEST_HEADER_NAMESPACED_FIELD, RPC_REQUEST_HEADER_NAMESPACE_FIELD */
        status = add_field(dress, SLICE_LITERAL("nsd"), SLICE_LITERAL("true"), error);
        if (status == MQC_OK)
            status =
                add_field(dress, SLICE_LITERAL("ns"), slice_text(options->name_space_v2), error);
    }
    if (status == MQC_OK) status = run_hooks(options, address, dress, error);
    if (status == MQC_OK && options->get_credentials)
        status = take_credentials(options, dress, error);
    return status;
}

/* Works on a copy of the header. A name that does not fit stays, for the broker to refuse. */
static void change_header(const mqc_client_options *options, struct remoting_dress *dress)
{
    const struct header_layout *layout = dress->request.layout;
    BUG_IF(layout->size > sizeof dress->header, "header %s is too large", layout->name);
    memcpy(dress->header.bytes, dress->request.header, layout->size);
    dress->request.header = dress->header.bytes;
    const struct header_field *fields = layout->fields();
    for (size_t i = 0; i < layout->count; i++) {
        char *member = dress->header.bytes + fields[i].offset;
        if (options->unit_mode && fields[i].type == HEADER_FIELD_BOOL &&
            strcmp(fields[i].member, "unit_mode") == 0) {
            *(bool *)member = true;
        } else if (options->name_space && is_name(&fields[i])) {
            struct slice *name = (struct slice *)(void *)member;
            char room[NAME_BYTES];
            struct slice wrapped = namespace_wrap(options->name_space, *name, room);
            if (wrapped.data && (wrapped.data != room || keep(dress, &wrapped))) *name = wrapped;
        }
    }
}

static bool is_name(const struct header_field *field)
{
    static const char *const members[] = {"topic", "default_topic", "origin_topic",
                                          "consumer_group", "producer_group"};
    if (field->type != HEADER_FIELD_STRING) return false;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(field->member, members[i]) == 0) return true;
    return false;
}

static mqc_status add_field(struct remoting_dress *dress, struct slice name, struct slice value,
                            mqc_error *error)
{
    struct command_to_send *request = &dress->request;
    size_t most = COMMAND_MAX_FIELDS - 4 - (request->layout ? request->layout->count : 0);
    if (has_field(request, name))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "a hook adds the field \"%.*s\" to %s, which has one of that name",
                         SLICE_FORMAT(name), request_code_name(request->code));
    if (request->extra_count >= REMOTING_EXTRA_MOST || request->extra_count >= most ||
        !keep(dress, &name) || !keep(dress, &value))
        return error_set(error, MQC_TOO_BIG,
                         "hooks add too much to %s: at most %d fields and %d bytes are possible",
                         request_code_name(request->code), REMOTING_EXTRA_MOST,
                         REMOTING_ROOM_BYTES);
    dress->extra[request->extra_count++] = (struct command_field){name, value};
    return MQC_OK;
}

static bool has_field(const struct command_to_send *request, struct slice name)
{
    for (size_t i = 0; i < request->extra_count; i++)
        if (slice_equal(request->extra[i].name, name)) return true;
    const struct header_field *fields = request->layout ? request->layout->fields() : NULL;
    for (size_t i = 0; fields && i < request->layout->count; i++)
        if (slice_is(name, fields[i].name)) return true;
    return slice_is(name, "AccessKey") || slice_is(name, "Signature") ||
           slice_is(name, "SecurityToken");
}

/* Copies a text, with a zero byte, into the room of the request. */
static bool keep(struct remoting_dress *dress, struct slice *text)
{
    if (text->size >= sizeof dress->room - dress->room_used) return false;
    char *copy = dress->room + dress->room_used;
    if (text->size > 0) memcpy(copy, text->data, text->size);
    copy[text->size] = '\0';
    dress->room_used += text->size + 1;
    text->data = copy;
    return true;
}

/* ---- the application's keys ---- */

static bool is_text(const char *bytes, size_t size)
{
    return memchr(bytes, '\0', size) != NULL;
}

static mqc_status take_credentials(const mqc_client_options *options, struct remoting_dress *dress,
                                   mqc_error *error)
{
    mqc_credentials *keys = &dress->keys;
    const char *wrong = NULL;
    memset(keys, 0, sizeof *keys);
    dress->request.own_credentials = &dress->credentials; /* from now on the keys are wiped */
    if (!options->get_credentials(keys, options->get_credentials_arg))
        wrong = "gave none";
    else if (!is_text(keys->access_key, sizeof keys->access_key) ||
             !is_text(keys->secret_key, sizeof keys->secret_key) ||
             !is_text(keys->security_token, sizeof keys->security_token))
        wrong = "gave a text without its zero byte at the end";
    else if (!keys->access_key[0] || !keys->secret_key[0])
        wrong = "gave an access key without a secret key, or neither";
    if (wrong) {
        error_set(error, MQC_NOT_FOUND, "%s is not sent: get_credentials %s",
                  request_code_name(dress->request.code), wrong);
        error_mark_retryable(error);
        return MQC_NOT_FOUND;
    }
    dress->credentials = (struct credentials){
        slice_text(keys->access_key), slice_text(keys->secret_key),
        keys->security_token[0] ? slice_text(keys->security_token) : SLICE_ABSENT};
    return MQC_OK;
}

/* ---- the application's hooks ---- */

static mqc_status run_hooks(const mqc_client_options *options, const char *address,
                            struct remoting_dress *dress, mqc_error *error)
{
    struct mqc_rpc rpc = {.address = address, .code = dress->request.code, .dress = dress};
    for (size_t i = 0; i < options->rpc_hook_count; i++) {
        const mqc_rpc_hook *hook = &options->rpc_hooks[i];
        mqc_error why = {.status = MQC_OK};
        mqc_status status = hook->before ? hook->before(&rpc, hook->arg, &why) : MQC_OK;
        if (status == MQC_OK) continue;
        if (why.status == MQC_OK)
            error_set(&why, status, "a hook refused %s to %s", request_code_name(rpc.code),
                      address);
        if (error) *error = why;
        return status;
    }
    return MQC_OK;
}

static void observe(const char *address, int32_t code, const struct remoting_command *answer,
                    const mqc_error *error, void *arg)
{
    const mqc_client_options *options = arg;
    struct mqc_rpc rpc = {.address = address, .code = code, .answer = answer, .error = error};
    for (size_t i = 0; i < options->rpc_hook_count; i++)
        if (options->rpc_hooks[i].after)
            options->rpc_hooks[i].after(&rpc, options->rpc_hooks[i].arg);
}

const char *mqc_rpc_address(const mqc_rpc *rpc)
{
    return rpc->address;
}

int mqc_rpc_code(const mqc_rpc *rpc)
{
    return rpc->code;
}

const char *mqc_rpc_name(const mqc_rpc *rpc)
{
    return request_code_name(rpc->code);
}

void mqc_rpc_each_field(const mqc_rpc *rpc, mqc_property_visitor *visit, void *arg)
{
    if (!rpc->dress) return;
    const struct command_to_send *request = &rpc->dress->request;
    const struct header_field *fields = request->layout ? request->layout->fields() : NULL;
    for (size_t i = 0; fields && i < request->layout->count; i++) {
        char number[HEADER_NUMBER_BYTES];
        struct slice value;
        if (!header_field_value(&fields[i], request->header, number, &value)) continue;
        char *text = slice_duplicate(value);
        bool more = !text || visit(fields[i].name, text, arg);
        memory_free(text);
        if (!more) return;
    }
    for (size_t i = 0; i < request->extra_count; i++) {
        char *name = slice_duplicate(request->extra[i].name);
        char *value = slice_duplicate(request->extra[i].value);
        bool more = !name || !value || visit(name, value, arg);
        memory_free(name);
        memory_free(value);
        if (!more) return;
    }
}

mqc_view mqc_rpc_body(const mqc_rpc *rpc)
{
    if (!rpc->dress) return (mqc_view){NULL, 0};
    return (mqc_view){rpc->dress->request.body.data, rpc->dress->request.body.size};
}

mqc_status mqc_rpc_add_field(mqc_rpc *rpc, const char *name, const char *value, mqc_error *error)
{
    if (!rpc || !rpc->dress)
        return error_set(error, MQC_WRONG_STATE,
                         "a field can be added before a request only: not in `after`");
    if (!name || !name[0] || !value)
        return error_set(error, MQC_BAD_ARGUMENT, "a field needs a name and a value");
    return add_field(rpc->dress, slice_text(name), slice_text(value), error);
}

const mqc_error *mqc_rpc_error(const mqc_rpc *rpc)
{
    return rpc->error;
}

int mqc_rpc_answer_code(const mqc_rpc *rpc)
{
    return rpc->answer ? rpc->answer->code : -1;
}

mqc_view mqc_rpc_answer_remark(const mqc_rpc *rpc)
{
    if (!rpc->answer) return (mqc_view){NULL, 0};
    return (mqc_view){rpc->answer->remark.data, rpc->answer->remark.size};
}

mqc_view mqc_rpc_answer_field(const mqc_rpc *rpc, const char *name)
{
    struct slice value = rpc->answer ? remoting_command_field(rpc->answer, name) : SLICE_ABSENT;
    return (mqc_view){value.data, value.size};
}
