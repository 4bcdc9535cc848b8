#include <mqclient/log.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "test/unit/net/certificates.c"
#include "test/unit/net/tls_ends.h"
#include "test/unit/unit.h"

static void refused(const mqc_tls_options *options, mqc_status expected, const char *file,
                    const char *text)
{
    struct tls_context *context = (struct tls_context *)&options;
    mqc_error error;
    mqc_status status = tls_context_new(options, NULL, &context, &error);
    ck_assert_msg(status == expected, "%s instead of: %s", mqc_status_name(status), text);
    ck_assert_int_eq(error.status, expected);
    ck_assert_ptr_null(context);
    ck_assert_msg(strstr(error.text, text) != NULL, "\"%s\" does not say \"%s\"", error.text, text);
    if (file)
        ck_assert_msg(strstr(error.text, certificate_path(file)) != NULL, "\"%s\" does not name %s",
                      error.text, file);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

static void authority_refused(const char *file, const char *text)
{
    mqc_tls_options options = {.enabled = true, .ca_file = certificate_path(file)};
    refused(&options, MQC_TLS, file, text);
    options.skip_verify = true; /* a file that is named is used */
    refused(&options, MQC_TLS, file, text);
}

START_TEST(a_bad_authority_is_explained)
{
    authority_refused("missing.pem", "ca_file");
    authority_refused("missing.pem", "No such file or directory");
    authority_refused("empty.pem", "no certificate");
    authority_refused("garbage.pem", "no certificate");
    authority_refused("client.key", "no certificate");
    authority_refused(".", "ca_file");
}
END_TEST

static mqc_tls_options with_key(const char *certificate, const char *key, const char *password)
{
    return (mqc_tls_options){.enabled = true,
                             .ca_file = certificate_path("ca.pem"),
                             .certificate_file = certificate_path(certificate),
                             .key_file = certificate_path(key),
                             .key_password = password};
}

static void key_refused(const char *certificate, const char *key, const char *password,
                        const char *file, const char *text)
{
    mqc_tls_options options = with_key(certificate, key, password);
    refused(&options, MQC_TLS, file, text);
}

START_TEST(a_bad_certificate_is_explained)
{
    key_refused("missing.pem", "client.key", NULL, "missing.pem", "certificate_file");
    key_refused("missing.pem", "client.key", NULL, "missing.pem", "No such file or directory");
    key_refused("garbage.pem", "client.key", NULL, "garbage.pem", "nothing in PEM form");
    key_refused("empty.pem", "client.key", NULL, "empty.pem", "nothing in PEM form");
}
END_TEST

START_TEST(a_bad_key_is_explained)
{
    key_refused("client.pem", "missing.key", NULL, "missing.key", "No such file or directory");
    key_refused("client.pem", "missing.key", NULL, "missing.key", "key_file");
    key_refused("client.pem", "garbage.pem", NULL, "garbage.pem", "key_file");
    key_refused("client.pem", "client.pem", NULL, "client.pem", "key_file");
}
END_TEST

START_TEST(a_key_of_another_certificate_is_found_at_once)
{
    static const char text[] = "is not the key of the certificate in certificate_file";
    key_refused("client.pem", "server.key", NULL, "server.key", text);
    key_refused("client.pem", "server.key", NULL, "client.pem", text);
    key_refused("client.pem", "rsa.key", NULL, "rsa.key", text);
    key_refused("server.pem", "client-encrypted.key", CERTIFICATES_PASSWORD, "server.pem", text);
}
END_TEST

START_TEST(an_encrypted_key_needs_its_password)
{
    static const char *const keys[] = {"client-encrypted.key", "client-traditional.key"};
    for (size_t i = 0; i < 2; i++) {
        mqc_tls_options options = with_key("client.pem", keys[i], CERTIFICATES_PASSWORD);
        tls_context_free(new_client_context(&options));
        key_refused("client.pem", keys[i], NULL, keys[i], "the key is encrypted: set key_password");
        key_refused("client.pem", keys[i], "", keys[i], "the key is encrypted: set key_password");
        key_refused("client.pem", keys[i], "wrong", keys[i], "is key_password right?");
    }
    /* One that nothing asks for does no harm. */
    mqc_tls_options options = with_key("client.pem", "client.key", "needless");
    tls_context_free(new_client_context(&options));
}
END_TEST

START_TEST(passwords_never_show)
{
    static const char secret[] = "hunter2hunter2";
    mqc_tls_options options = with_key("client.pem", "client-encrypted.key", secret);
    struct tls_context *context;
    mqc_error error;
    char *endless = malloc(100001);
    ck_assert_int_eq(tls_context_new(&options, NULL, &context, &error), MQC_TLS);
    ck_assert_ptr_null(strstr(error.text, secret));
    memset(endless, 'x', 100000);
    endless[100000] = '\0';
    options.key_password = endless; /* more than OpenSSL has room for */
    ck_assert_int_eq(tls_context_new(&options, NULL, &context, &error), MQC_TLS);
    ck_assert_ptr_null(strstr(error.text, "xxx"));
    free(endless);
}
END_TEST

START_TEST(certificate_and_key_go_together)
{
    mqc_tls_options options = {.certificate_file = certificate_path("client.pem")};
    refused(&options, MQC_BAD_ARGUMENT, NULL, "certificate_file is set without key_file");
    options = (mqc_tls_options){.key_file = certificate_path("client.key"), .certificate_file = ""};
    refused(&options, MQC_BAD_ARGUMENT, NULL, "key_file is set without certificate_file");
}
END_TEST

START_TEST(a_server_name_may_not_be_endless)
{
    char name[ADDRESS_HOST_BYTES + 1];
    mqc_tls_options options = {.server_name = name};
    memset(name, 'a', sizeof name);
    name[ADDRESS_HOST_BYTES] = '\0';
    refused(&options, MQC_BAD_ARGUMENT, NULL, "server_name is too long");
}
END_TEST

START_TEST(empty_options_are_no_options)
{
    mqc_tls_options options = {.enabled = true,
                               .ca_file = "",
                               .certificate_file = "",
                               .key_file = "",
                               .key_password = "",
                               .server_name = ""};
    struct tls_context *context = new_client_context(&options);
    ck_assert(context->settings.verify);
    ck_assert_int_eq(SSL_CTX_get_verify_mode(context->openssl), SSL_VERIFY_PEER);
    ck_assert_int_eq(SSL_CTX_get_min_proto_version(context->openssl), TLS1_2_VERSION);
    tls_context_free(context);
    tls_context_free(NULL);
}
END_TEST

static void count_lines(const mqc_log_line *line, void *argument)
{
    int *count = argument;
    if (line->level == MQC_LOG_WARN && strstr(line->text, "skip_verify")) ++*count;
}

START_TEST(skipping_verification_is_said_loudly_once)
{
    int lines = 0;
    mqc_tls_options options = {.ca_file = certificate_path("ca.pem")};
    mqc_log_to(count_lines, &lines, MQC_LOG_WARN);
    tls_context_free(new_client_context(&options));
    ck_assert_int_eq(lines, 0);
    options.skip_verify = true;
    struct tls_context *context = new_client_context(&options);
    ck_assert_int_eq(lines, 1);
    for (int i = 0; i < 2; i++) {
        struct tls_session *session;
        int client, server;
        loopback_pair(&client, &server);
        ck_assert_int_eq(tls_session_new(context, client, "localhost", &session, NULL), MQC_OK);
        tls_session_free(session);
        socket_close(client);
        socket_close(server);
    }
    tls_context_free(context);
    ck_assert_int_eq(lines, 1);
    mqc_log_to(NULL, NULL, MQC_LOG_WARN);
}
END_TEST

static void server_refused(const char *certificate, const char *key, const char *client_ca,
                           const char *text)
{
    struct tls_context *context;
    mqc_error error;
    ck_assert_int_eq(tls_context_new_server(certificate_path(certificate), certificate_path(key),
                                            client_ca ? certificate_path(client_ca) : NULL,
                                            &context, &error),
                     MQC_TLS);
    ck_assert_ptr_null(context);
    check_text(&error, text);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

START_TEST(servers_are_checked_alike)
{
    server_refused("missing.pem", "server.key", NULL, "certificate_file");
    server_refused("server.pem", "missing.key", NULL, "key_file");
    server_refused("server.pem", "client.key", NULL, "is not the key of");
    server_refused("server.pem", "client-encrypted.key", NULL, "the key is encrypted");
    server_refused("server.pem", "server.key", "missing.pem", "client_ca_file");
    server_refused("server.pem", "server.key", "garbage.pem", "client_ca_file");
}
END_TEST

START_TEST(no_memory_is_an_ordinary_error)
{
    mqc_tls_options options = with_key("client.pem", "client.key", NULL);
    options.server_name = "broker.example";
    int client, server;
    loopback_pair(&client, &server);
    tls_context_free(new_client_context(&options));
    long before = memory_live_blocks();
    bool done = false;
    for (long nth = 1; !done; nth++) {
        struct tls_context *context;
        struct tls_session *session;
        memory_fail_from(nth);
        mqc_status status = tls_context_new(&options, NULL, &context, NULL);
        if (status == MQC_OK) {
            status = tls_session_new(context, client, "localhost", &session, NULL);
            if (status == MQC_OK) tls_session_free(session);
            done = status == MQC_OK;
            tls_context_free(context);
        }
        memory_fail_from(0);
        ck_assert(done || status == MQC_NO_MEMORY);
        ck_assert(nth > 2 || !done);
        ck_assert_int_eq(memory_live_blocks(), before);
    }
    socket_close(client);
    socket_close(server);
}
END_TEST

static Suite *tls_context_suite(void)
{
    certificates_make();
    Suite *suite = suite_create("net/tls_context");
    UNIT_CASE(suite, "files", a_bad_authority_is_explained, a_bad_certificate_is_explained,
              a_bad_key_is_explained, a_key_of_another_certificate_is_found_at_once,
              an_encrypted_key_needs_its_password, passwords_never_show, servers_are_checked_alike);
    UNIT_CASE(suite, "options", certificate_and_key_go_together, a_server_name_may_not_be_endless,
              empty_options_are_no_options, skipping_verification_is_said_loudly_once,
              no_memory_is_an_ordinary_error);
    return suite;
}
TEST_MAIN(tls_context_suite)
