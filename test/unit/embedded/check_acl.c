/* Signatures and TLS: who gets in. */
#include <stdlib.h>

#include "lib/protocol/signature.h"
#include "test/unit/embedded/wire_client.h"
#include "test/unit/net/certificates.h"

START_TEST(only_signed_requests_of_users_pass)
{
    const mqc_embedded_user user = {"ak", "sk12345678"};
    mqc_embedded *cluster = cluster_start(&(mqc_embedded_options){.users = &user, .user_count = 1});
    struct credentials right = {SLICE_LITERAL("ak"), SLICE_LITERAL("sk12345678"), SLICE_ABSENT};
    struct credentials wrong = {SLICE_LITERAL("ak"), SLICE_LITERAL("sk"), SLICE_ABSENT};
    struct credentials nobody = {SLICE_LITERAL("mqc-nobody"), SLICE_LITERAL("sk"), SLICE_ABSENT};
    const struct {
        const struct credentials *credentials;
        const char *remark;
    } refused[] = {{NULL, "username cannot be null."},
                   {&nobody, "User:mqc-nobody is not found."},
                   {&wrong, "check signature failed."}};
    struct wire *wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    struct send_message_header header = wire_send_header("orders", 0, "k\1v\2");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        wire->credentials = refused[i].credentials;
        struct wire_frame *answer = wire_call(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout,
                                              &header, SLICE_LITERAL("x"));
        ck_assert_int_eq(answer->command.code, RESPONSE_NO_PERMISSION);
        assert_text(answer->command.remark, refused[i].remark);
        wire_frame_free(answer);
    }
    wire->credentials = &right;
    wire_put(wire, "orders", 0, "k\1v\2", "x");
    wire->type = SERIALIZE_ROCKETMQ;
    wire_put(wire, "orders", 0, "k\1v\2", "x");
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 2);
    wire_close(wire);
    mqc_embedded_stop(cluster);
}
END_TEST

static mqc_embedded_options tls_options(void)
{
    return (mqc_embedded_options){.certificate_file = certificate_path("server.pem"),
                                  .key_file = certificate_path("server.key")};
}

START_TEST(tls_and_plain_text_share_a_port)
{
    mqc_embedded_options options = tls_options();
    mqc_embedded *cluster = cluster_start(&options);
    const mqc_tls_options tls = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    struct wire *plain = wire_open(mqc_embedded_broker_address(cluster, 0));
    struct wire *secret = wire_open_tls(mqc_embedded_broker_address(cluster, 0), &tls);
    wire_put(plain, "orders", 0, NULL, "plain");
    ck_assert_int_eq(wire_put(secret, "orders", 0, NULL, "secret"), 1);
    char *large = calloc(1, 3000001);
    memset(large, 'x', 3000000);
    ck_assert_int_eq(wire_put(secret, "orders", 0, NULL, large), 2);
    struct message_block *block = wire_pull(secret, "g", "orders", 0, 2, RESPONSE_SUCCESS);
    ck_assert_uint_eq(block->messages[0].body.size, 3000000);
    message_block_unref(block);
    free(large);
    wire_close(plain);
    wire_close(secret);
    mqc_embedded_stop(cluster);
}
END_TEST

START_TEST(plain_text_can_be_refused)
{
    mqc_embedded_options options = tls_options();
    options.tls_only = true;
    mqc_embedded *cluster = cluster_start(&options);
    struct wire *plain = wire_open(mqc_embedded_name_servers(cluster));
    wire_send(plain, 9999, NULL, NULL, SLICE_ABSENT);
    wire_expect_end(plain);
    wire_close(plain);
    mqc_embedded_stop(cluster);
}
END_TEST

START_TEST(clients_may_have_to_show_a_certificate)
{
    mqc_embedded_options options = tls_options();
    options.client_ca_file = certificate_path("ca.pem");
    mqc_embedded *cluster = cluster_start(&options);
    const mqc_tls_options with = {.enabled = true,
                                  .ca_file = certificate_path("ca.pem"),
                                  .certificate_file = certificate_path("client.pem"),
                                  .key_file = certificate_path("client.key")};
    const mqc_tls_options without = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    struct wire *member = wire_open_tls(mqc_embedded_broker_address(cluster, 0), &with);
    struct wire *stranger = wire_open_tls(mqc_embedded_broker_address(cluster, 0), &without);
    wire_put(member, "orders", 0, NULL, "x");
    wire_send(stranger, 9999, NULL, NULL, SLICE_ABSENT);
    wire_expect_end(stranger);
    ck_assert_uint_eq(stranger->kept_count, 0);
    wire_close(stranger);
    wire_close(member);
    mqc_embedded_stop(cluster);
}
END_TEST

START_TEST(a_plain_server_ends_a_tls_connection)
{
    mqc_embedded *cluster = cluster_start(NULL);
    struct wire *wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    wire_send_bytes(wire, slice_of(hello, sizeof hello - 1));
    wire_expect_end(wire);
    wire_close(wire);
    mqc_embedded_stop(cluster);
}
END_TEST

static Suite *suite(void)
{
    certificates_make();
    Suite *s = suite_create("embedded access");
    UNIT_CASE(s, "access", only_signed_requests_of_users_pass, tls_and_plain_text_share_a_port,
              plain_text_can_be_refused, clients_may_have_to_show_a_certificate,
              a_plain_server_ends_a_tls_connection);
    return s;
}
TEST_MAIN(suite)
