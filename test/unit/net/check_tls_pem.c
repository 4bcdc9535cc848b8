/* Certificates and keys given as text instead of files, and lists of revoked certificates. */
#include <mqclient/log.h>

#include "lib/base/memory.h"
#include "test/unit/net/certificates.c"
#include "test/unit/net/tls_ends.h"
#include "test/unit/unit.h"

/* What a file holds; lives as long as the process. */
static char *text_of(const char *name)
{
    static char texts[16][8192];
    static int count;
    FILE *file = fopen(certificate_path(name), "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_lt(count, 16);
    char *text = texts[count++];
    text[fread(text, 1, sizeof texts[0] - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void attempt(struct ends *ends, const mqc_tls_options *options, const char *crl,
                    const char *server, const char *client_ca)
{
    struct tls_context *context;
    mqc_error error;
    ends_plain(ends);
    ck_assert_msg(tls_context_new(options, crl, &context, &error) == MQC_OK, "%s", error.text);
    ck_assert_msg(tls_session_new(context, ends->client_fd, "localhost", &ends->client, &error) ==
                      MQC_OK,
                  "%s", error.text);
    tls_context_free(context);
    ends_add_server(ends, server, client_ca, TLS1_3_VERSION);
    ends_handshake(ends);
}

START_TEST(a_path_is_no_pem)
{
    ck_assert(tls_is_pem("-----BEGIN CERTIFICATE-----\n"));
    ck_assert(tls_is_pem("\n  -----BEGIN PRIVATE KEY-----"));
    ck_assert(!tls_is_pem("/etc/ssl/-----BEGIN.pem"));
    ck_assert(!tls_is_pem(""));
    ck_assert(!tls_is_pem(NULL));
}
END_TEST

START_TEST(texts_do_what_files_do)
{
    static const char *const authorities[] = {"ca.pem", "intermediate.pem"};
    static const char *const keys[] = {"client.key", "client-encrypted.key",
                                       "client-traditional.key"};
    struct ends ends;
    for (size_t i = 0; i < 2; i++) {
        mqc_tls_options options = {.enabled = true, .ca_file = text_of(authorities[i])};
        attempt(&ends, &options, NULL, "chain", NULL);
        ends_greet(&ends);
        ends_close(&ends);
    }
    for (size_t i = 0; i < 3; i++) {
        mqc_tls_options options = {.enabled = true,
                                   .ca_file = text_of("ca.pem"),
                                   .certificate_file = text_of("client.pem"),
                                   .key_file = text_of(keys[i]),
                                   .key_password = i > 0 ? CERTIFICATES_PASSWORD : NULL};
        attempt(&ends, &options, NULL, "server", "ca.pem");
        ends_greet(&ends);
        ends_close(&ends);
    }
    mqc_tls_options wrong = {.enabled = true, .ca_file = text_of("wrong-ca.pem")};
    attempt(&ends, &wrong, NULL, "server", NULL);
    ck_assert_int_eq(ends.client_result, IO_FAILED);
    check_text(&ends.client_error, "the server's authority is not in ca_file");
    ends_close(&ends);
}
END_TEST

/* The chain's other certificates go along: the server knows the root alone. */
START_TEST(a_chain_may_be_text)
{
    struct ends ends;
    mqc_tls_options options = {.enabled = true,
                               .ca_file = certificate_path("ca.pem"),
                               .certificate_file = text_of("chain.pem"),
                               .key_file = text_of("chain.key")};
    attempt(&ends, &options, NULL, "server", NULL);
    ends_greet(&ends);
    STACK_OF(X509) *chain = NULL;
    SSL_get0_chain_certs(ends.client->openssl, &chain);
    ck_assert_int_eq(sk_X509_num(chain), 1);
    ends_close(&ends);
}
END_TEST

static void refused(const mqc_tls_options *options, const char *crl, const char *text)
{
    struct tls_context *context;
    mqc_error error;
    ck_assert_int_eq(tls_context_new(options, crl, &context, &error), MQC_TLS);
    ck_assert_ptr_null(context);
    check_text(&error, text);
    ck_assert_msg(!strstr(error.text, "-----"), "a text is shown: %s", error.text);
    ck_assert_msg(!strstr(error.text, CERTIFICATES_PASSWORD), "%s", error.text);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

/* A text may be a key: nothing of it appears in an error. */
START_TEST(bad_texts_are_explained_and_never_shown)
{
    mqc_tls_options options = {.enabled = true, .ca_file = text_of("client.key")};
    refused(&options, NULL, "ca_file (given as text): there is nothing in PEM form");
    options.ca_file = "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n";
    refused(&options, NULL, "ca_file (given as text): ");
    options.ca_file = text_of("ca.pem");
    refused(&options, text_of("ca.pem"), "tls_crl_file (given as text): there is nothing");
    refused(&options, certificate_path("missing.pem"), "tls_crl_file");
    refused(&options, certificate_path("empty.pem"), "tls_crl_file");
    options.certificate_file = text_of("client.pem");
    options.key_file = text_of("server.key");
    refused(&options, NULL, "key_file (given as text) is not the key of the certificate");
    options.key_file = text_of("client-encrypted.key");
    refused(&options, NULL, "the key is encrypted: set key_password");
    options.key_password = "wrong";
    refused(&options, NULL, "is key_password right?");
    options.certificate_file = text_of("client.key");
    refused(&options, NULL, "certificate_file (given as text)");
}
END_TEST

START_TEST(revoked_certificates_are_refused)
{
    const mqc_tls_options options = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    const struct {
        const char *server, *list, *text;
    } trials[] = {
        {"server", certificate_path("crl.pem"), NULL},
        {"server", text_of("crl.pem"), NULL},
        {"revoked", NULL, NULL}, /* nobody has looked */
        {"revoked", certificate_path("crl.pem"), "certificate revoked"},
        {"revoked", text_of("crl.pem"), "certificate revoked"},
        {"server", certificate_path("crl-old.pem"), "CRL has expired: tls_crl_file is too old"},
        {"server", certificate_path("crl-other.pem"), "tls_crl_file has no list of its authority"},
    };
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        struct ends ends;
        attempt(&ends, &options, trials[i].list, trials[i].server, NULL);
        if (trials[i].text) {
            ck_assert_int_eq(ends.client_result, IO_FAILED);
            check_text(&ends.client_error, trials[i].text);
        } else {
            ends_greet(&ends);
        }
        ends_close(&ends);
    }
}
END_TEST

static Suite *suite(void)
{
    certificates_make();
    Suite *suite = suite_create("net/tls_pem");
    UNIT_CASE(suite, "text", a_path_is_no_pem, texts_do_what_files_do, a_chain_may_be_text,
              bad_texts_are_explained_and_never_shown);
    UNIT_CASE(suite, "revocation", revoked_certificates_are_refused);
    return suite;
}
TEST_MAIN(suite)
