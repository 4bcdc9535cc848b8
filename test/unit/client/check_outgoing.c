/* Tests of lib/client/outgoing.c and services/remoting_dress.c: what a peer gets, and what hooks
 * see of it. */
#include "lib/client/outgoing.h"

#include <mqclient/hooks.h>

#include "lib/base/error.h"
#include "test/unit/services/remoting_calls.h"

/* The fields of the last request that the peer got: "name=value;…" */
static char got[4096];

/* Answers with a field of its own, or not at all when the body says so. */
static void tell(struct fake_server *server, int fd, const struct remoting_command *command)
{
    (void)server;
    size_t used = 0;
    got[0] = '\0';
    for (size_t i = 0; i < command->field_count; i++)
        used += (size_t)snprintf(got + used, sizeof got - used, "%.*s=%.*s;",
                                 SLICE_FORMAT(command->fields[i].name),
                                 SLICE_FORMAT(command->fields[i].value));
    if (remoting_command_is_oneway(command) || slice_is(command->body, "silence")) return;
    struct command_field field = {SLICE_LITERAL("f"), SLICE_LITERAL("v")};
    struct command_to_send answer = {.code = 17,
                                     .flag = COMMAND_FLAG_RESPONSE,
                                     .extra = &field,
                                     .extra_count = 1,
                                     .remark = SLICE_LITERAL("no such topic")};
    struct buffer bytes;
    buffer_init(&bytes);
    remoting_command_encode(&bytes, &answer, command->opaque, SERIALIZE_JSON, NULL, NULL);
    fake_send(fd, &bytes);
    buffer_done(&bytes);
}

static struct remoting_client *up(const mqc_client_options *options,
                                  const struct credentials *credentials)
{
    struct remoting_options remoting = {
        .connect_timeout_ms = PATIENCE_MS, .idle_close_ms = -1, .credentials = credentials};
    struct remoting_client *client;
    ck_assert_int_eq(remoting_client_new(&remoting, on_request, NULL, &client, NULL), MQC_OK);
    outgoing_set_up(options, client);
    ck_assert_int_eq(remoting_client_start(client, NULL), MQC_OK);
    return client;
}

/* One synchronous send of a message to topic t. */
static mqc_status send_one(struct remoting_client *client, const char *address, const char *body,
                           int timeout_ms, mqc_error *error)
{
    struct send_message_header header;
    header_init(&send_message_layout, &header);
    header.producer_group = SLICE_LITERAL("g");
    header.topic = SLICE_LITERAL("t");
    header.default_topic = SLICE_LITERAL("TBW102");
    struct command_to_send request = {.code = REQUEST_SEND_MESSAGE_V2,
                                      .layout = &send_message_layout,
                                      .header = &header,
                                      .body = slice_text(body)};
    struct remoting_response response;
    mqc_status status = remoting_client_call(client, address, &request,
                                             clock_deadline_ms(timeout_ms), &response, error);
    ck_assert_slice(header.topic, "t"); /* the caller's own header is not touched */
    if (status == MQC_OK) remoting_response_done(&response);
    return status;
}

static void assert_got(const char *part)
{
    ck_assert_msg(strstr(got, part) != NULL, "'%s' is not in '%s'", part, got);
}

START_TEST(names_get_their_namespace)
{
    struct fake_server server;
    mqc_error error;
    fake_start(&server, tell, NULL);
    struct remoting_client *client = up(
        &(mqc_client_options){.name_space = "ns", .name_space_v2 = "two", .unit_mode = true}, NULL);
    ck_assert_int_eq(send_one(client, server.address, "x", PATIENCE_MS, &error), MQC_OK);
    assert_got("a=ns%g;");
    assert_got("b=ns%t;");
    assert_got("c=TBW102;");
    assert_got("k=true;");
    assert_got("nsd=true;");
    assert_got("ns=two;");
    client_down(client);
    fake_stop(&server);
}
END_TEST

START_TEST(without_wishes_nothing_changes)
{
    struct fake_server server;
    mqc_error error;
    fake_start(&server, tell, NULL);
    struct remoting_client *client = up(&(mqc_client_options){.name_servers = "x"}, NULL);
    ck_assert_int_eq(send_one(client, server.address, "x", PATIENCE_MS, &error), MQC_OK);
    assert_got("a=g;");
    assert_got("b=t;");
    ck_assert_ptr_null(strstr(got, "ns"));
    client_down(client);
    fake_stop(&server);
}
END_TEST

/* ---- hooks ---- */

static atomic_int befores, afters, failures;
static char seen[1024];

static bool see(const char *name, const char *value, void *arg)
{
    (void)arg;
    size_t used = strlen(seen);
    snprintf(seen + used, sizeof seen - used, "%s=%s;", name, value);
    return true;
}

static mqc_status before(mqc_rpc *rpc, void *arg, mqc_error *error)
{
    atomic_fetch_add(&befores, 1);
    ck_assert_str_eq(mqc_rpc_address(rpc), (const char *)arg);
    ck_assert_int_eq(mqc_rpc_code(rpc), 310);
    ck_assert_str_eq(mqc_rpc_name(rpc), "SEND_MESSAGE_V2");
    ck_assert_ptr_null(mqc_rpc_error(rpc));
    ck_assert_int_eq(mqc_rpc_answer_code(rpc), -1);
    mqc_status status = mqc_rpc_add_field(rpc, "tenant", "blue", error);
    seen[0] = '\0';
    mqc_rpc_each_field(rpc, see, NULL);
    return status;
}

static void after(const mqc_rpc *rpc, void *arg)
{
    ck_assert_str_eq(mqc_rpc_address(rpc), (const char *)arg);
    ck_assert_int_eq(mqc_rpc_code(rpc), 310);
    if (mqc_rpc_error(rpc)) {
        ck_assert_int_eq(mqc_rpc_answer_code(rpc), -1);
        ck_assert_ptr_null(mqc_rpc_answer_field(rpc, "f").data);
        atomic_fetch_add(&failures, 1);
    } else {
        mqc_view field = mqc_rpc_answer_field(rpc, "f"), remark = mqc_rpc_answer_remark(rpc);
        ck_assert_int_eq(mqc_rpc_answer_code(rpc), 17);
        ck_assert_slice(slice_of(field.data, field.size), "v");
        ck_assert_slice(slice_of(remark.data, remark.size), "no such topic");
        ck_assert_ptr_null(mqc_rpc_answer_field(rpc, "g").data);
    }
    atomic_fetch_add(&afters, 1);
}

START_TEST(hooks_see_and_add)
{
    struct fake_server server;
    mqc_error error;
    fake_start(&server, tell, NULL);
    const mqc_rpc_hook hook = {before, after, server.address};
    mqc_client_options options = {.name_space = "ns", .rpc_hooks = &hook, .rpc_hook_count = 1};
    struct credentials credentials = {SLICE_LITERAL("user"), SLICE_LITERAL("secret"), SLICE_ABSENT};
    struct remoting_client *client = up(&options, &credentials);
    ck_assert_int_eq(send_one(client, server.address, "x", PATIENCE_MS, &error), MQC_OK);
    assert_got("tenant=blue;");
    assert_got("Signature="); /* over that field, too */
    ck_assert_ptr_nonnull(strstr(seen, "b=ns%t;"));
    ck_assert_ptr_nonnull(strstr(seen, "tenant=blue;"));
    ck_assert_int_eq(atomic_load(&afters), 1);
    ck_assert_int_eq(send_one(client, server.address, "silence", 50, &error), MQC_TIMEOUT);
    ck_assert_int_eq(atomic_load(&befores), 2);
    ck_assert_int_eq(atomic_load(&afters), 2);
    ck_assert_int_eq(atomic_load(&failures), 1);
    client_down(client);
    fake_stop(&server);
}
END_TEST

START_TEST(asynchronous_and_oneway_calls_too)
{
    struct fake_server server;
    mqc_error error;
    struct latch latch;
    latch_init(&latch);
    struct outcome outcome = {.latch = &latch};
    fake_start(&server, tell, NULL);
    const mqc_rpc_hook hook = {before, after, server.address};
    struct remoting_client *client =
        up(&(mqc_client_options){.rpc_hooks = &hook, .rpc_hook_count = 1}, NULL);
    struct command_to_send request = {.code = REQUEST_SEND_MESSAGE_V2};
    ck_assert_int_eq(remoting_client_call_async(client, server.address, &request,
                                                clock_deadline_ms(PATIENCE_MS), on_done, &outcome,
                                                &error),
                     MQC_OK);
    latch_wait(&latch, 1);
    ck_assert_int_eq(atomic_load(&afters), 1);
    assert_got("tenant=blue;");
    ck_assert_int_eq(remoting_client_call_oneway(client, server.address, &request,
                                                 clock_deadline_ms(PATIENCE_MS), &error),
                     MQC_OK);
    while (atomic_load(&server.frames) < 2) poll(NULL, 0, 1);
    assert_got("tenant=blue;");
    ck_assert_int_eq(atomic_load(&befores), 2);
    ck_assert_int_eq(atomic_load(&afters), 1);
    client_down(client);
    fake_stop(&server);
    latch_done(&latch);
}
END_TEST

static mqc_status refuse(mqc_rpc *rpc, void *arg, mqc_error *error)
{
    (void)rpc;
    return arg ? error_set(error, MQC_BUSY, "%s", (const char *)arg) : MQC_NOT_FOUND;
}

/* As an attempt that fails in the same way for the synchronous and the other kinds. */
START_TEST(hooks_refuse)
{
    mqc_error error;
    const mqc_rpc_hook hooks[] = {{NULL, NULL, NULL}, {refuse, NULL, "not on Sundays"}};
    struct remoting_client *client =
        up(&(mqc_client_options){.rpc_hooks = hooks, .rpc_hook_count = 2}, NULL);
    ck_assert_int_eq(send_one(client, "127.0.0.1:1", "x", PATIENCE_MS, &error), MQC_BUSY);
    ck_assert_str_eq(error.text, "not on Sundays");
    struct command_to_send request = {.code = REQUEST_SEND_MESSAGE_V2};
    ck_assert_int_eq(remoting_client_call_oneway(client, "127.0.0.1:1", &request,
                                                 clock_deadline_ms(PATIENCE_MS), &error),
                     MQC_BUSY);
    client_down(client);
    const mqc_rpc_hook silent = {refuse, NULL, NULL};
    client = up(&(mqc_client_options){.rpc_hooks = &silent, .rpc_hook_count = 1}, NULL);
    ck_assert_int_eq(send_one(client, "127.0.0.1:1", "x", PATIENCE_MS, &error), MQC_NOT_FOUND);
    ck_assert_str_eq(error.text, "a hook refused SEND_MESSAGE_V2 to 127.0.0.1:1");
    client_down(client);
}
END_TEST

static mqc_status add_wrong(mqc_rpc *rpc, void *arg, mqc_error *error)
{
    (void)arg, (void)error;
    mqc_error why;
    static const char *const taken[] = {"b", "Signature", "AccessKey", "SecurityToken"};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(mqc_rpc_add_field(rpc, taken[i], "x", &why), MQC_BAD_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(why.text, taken[i]));
    }
    ck_assert_int_eq(mqc_rpc_add_field(rpc, "", "x", &why), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_rpc_add_field(rpc, "n", NULL, &why), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_rpc_add_field(rpc, "twice", "x", &why), MQC_OK);
    ck_assert_int_eq(mqc_rpc_add_field(rpc, "twice", "x", &why), MQC_BAD_ARGUMENT);
    char name[16];
    int added = 1;
    mqc_status status;
    do {
        snprintf(name, sizeof name, "field%d", added);
        status = mqc_rpc_add_field(rpc, name, "x", &why);
        added += status == MQC_OK;
    } while (status == MQC_OK);
    ck_assert_int_eq(status, MQC_TOO_BIG);
    ck_assert_int_gt(added, 20);
    return MQC_OK;
}

static mqc_status add_large(mqc_rpc *rpc, void *arg, mqc_error *error)
{
    (void)arg;
    static char large[REMOTING_ROOM_BYTES + 1];
    memset(large, 'x', sizeof large - 1);
    return mqc_rpc_add_field(rpc, "large", large, error);
}

START_TEST(what_hooks_may_not_add)
{
    struct fake_server server;
    mqc_error error;
    fake_start(&server, tell, NULL);
    const mqc_rpc_hook wrong = {add_wrong, NULL, NULL}, large = {add_large, NULL, NULL};
    struct remoting_client *client =
        up(&(mqc_client_options){.rpc_hooks = &wrong, .rpc_hook_count = 1}, NULL);
    ck_assert_int_eq(send_one(client, server.address, "x", PATIENCE_MS, &error), MQC_OK);
    assert_got("field1=x;");
    client_down(client);
    client = up(&(mqc_client_options){.rpc_hooks = &large, .rpc_hook_count = 1}, NULL);
    ck_assert_int_eq(send_one(client, server.address, "x", PATIENCE_MS, &error), MQC_TOO_BIG);
    client_down(client);
    fake_stop(&server);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("outgoing");
    UNIT_CASE(suite, "names", names_get_their_namespace, without_wishes_nothing_changes);
    UNIT_CASE(suite, "hooks", hooks_see_and_add, asynchronous_and_oneway_calls_too, hooks_refuse,
              what_hooks_may_not_add);
    return suite;
}
TEST_MAIN(suite)
