/* Who is believed: the server's certificate, its name, the client's certificate. */
#include <mqclient/log.h>

#include "test/unit/net/certificates.c"
#include "test/unit/net/tls_ends.h"
#include "test/unit/unit.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

struct trial {
    const char *certificate; /* the server's */
    const char *ca;          /* the client's ca_file; NULL: the system's trust store */
    const char *host;
    const char *server_name;
    const char *text; /* of the failure */
};

static void attempt(struct ends *ends, const struct trial *trial, int version, bool skip_verify)
{
    mqc_tls_options options = {.enabled = true,
                               .ca_file = trial->ca ? certificate_path(trial->ca) : NULL,
                               .server_name = trial->server_name,
                               .skip_verify = skip_verify};
    ends_plain(ends);
    ends_add_client(ends, &options, trial->host);
    ends_add_server(ends, trial->certificate, NULL, version);
    ends_handshake(ends);
}

START_TEST(trusted_servers_are_accepted)
{
    static const struct trial trials[] = {
        {"server", "ca.pem", "localhost", NULL, NULL},
        {"server", "ca.pem", "LocalHost", NULL, NULL},
        {"server", "ca.pem", "localhost.", NULL, NULL},
        {"server", "ca.pem", "127.0.0.1", NULL, NULL},
        {"server", "ca.pem", "::1", NULL, NULL},
        {"server", "ca.pem", "10.1.2.3", "localhost", NULL},
        {"server", "ca.pem", "broker.example", "127.0.0.1", NULL},
        {"server", "ca.pem", "localhost", "", NULL},
        {"server", "server.pem", "localhost", NULL, NULL},
        {"other-name", "ca.pem", "localhost", "other.example", NULL},
        {"other-name", "ca.pem", "127.0.0.9", NULL, NULL},
        {"wildcard", "ca.pem", "broker-a.example.test", NULL, NULL},
        {"chain", "ca.pem", "localhost", NULL, NULL},
        {"chain", "intermediate.pem", "localhost", NULL, NULL},
        {"self-signed", "self-signed.pem", "localhost", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        for (size_t v = 0; v < 2; v++) {
            struct ends ends;
            attempt(&ends, &trials[i], versions[v], false);
            ends_greet(&ends);
            ck_assert_int_eq(SSL_version(ends.client->openssl), versions[v]);
            ends_close(&ends);
        }
    }
}
END_TEST

START_TEST(servers_that_cannot_be_trusted_are_refused)
{
    static const struct trial trials[] = {
        {"server", "wrong-ca.pem", "localhost", NULL, "the server's authority is not in ca_file"},
        {"server", NULL, "localhost", NULL, "system's trust store: set ca_file"},
        {"self-signed", "ca.pem", "localhost", NULL, "self-signed certificate: the server's"},
        {"expired", "ca.pem", "localhost", NULL, "certificate has expired"},
        {"later", "ca.pem", "localhost", NULL, "certificate is not yet valid"},
        {"client", "ca.pem", "localhost", NULL, "certificate purpose"},
        {"other-name", "ca.pem", "localhost", NULL, "hostname mismatch: expected localhost"},
        {"other-name", "ca.pem", "127.0.0.1", NULL, "IP address mismatch: expected 127.0.0.1"},
        {"other-name", "ca.pem", "::1", NULL, "IP address mismatch: expected ::1"},
        {"server", "ca.pem", "localhost", "other.example", "mismatch: expected other.example"},
        {"server", "ca.pem", "localhost", "127.0.0.9", "mismatch: expected 127.0.0.9"},
        {"server", "ca.pem", "localhost.example", NULL, "mismatch: expected localhost.example"},
        {"wildcard", "ca.pem", "example.test", NULL, "mismatch: expected example.test"},
        {"wildcard", "ca.pem", "a.b.example.test", NULL, "mismatch: expected a.b.example.test"},
    };
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        for (size_t v = 0; v < 2; v++) {
            struct ends ends;
            char peer[ADDRESS_TEXT_BYTES];
            attempt(&ends, &trials[i], versions[v], false);
            ck_assert_msg(ends.client_result == IO_FAILED, "no failure: %s", trials[i].text);
            check_text(&ends.client_error, "certificate verify failed: ");
            check_text(&ends.client_error, trials[i].text);
            snprintf(peer, sizeof peer,
                     strchr(trials[i].host, ':') ? "[%s]:" : "%s:", trials[i].host);
            ck_assert_msg(strncmp(ends.client_error.text, peer, strlen(peer)) == 0, "%s",
                          ends.client_error.text);
            ck_assert(!ends.client_error.retryable);
            ck_assert_int_eq(ends.server_result, IO_FAILED);
            check_text(&ends.server_error, "the client does not accept the server's certificate");
            ends_close(&ends);
        }
    }
}
END_TEST

START_TEST(a_failure_stays)
{
    static const struct trial trial = {"expired", "ca.pem", "localhost", NULL, NULL};
    struct ends ends;
    mqc_error again = {.status = MQC_OK};
    char byte = 'x';
    size_t moved;
    attempt(&ends, &trial, TLS1_3_VERSION, false);
    ck_assert_int_eq(tls_session_handshake(ends.client, &again), IO_FAILED);
    ck_assert_str_eq(again.text, ends.client_error.text);
    ck_assert_int_eq(tls_session_write(ends.client, &byte, 1, &moved, &again), IO_FAILED);
    ck_assert_uint_eq(moved, 0);
    ck_assert_int_eq(tls_session_read(ends.client, &byte, 1, &moved, NULL), IO_FAILED);
    tls_session_say_goodbye(ends.client);
    ends_close(&ends);
}
END_TEST

START_TEST(skip_verify_believes_everything)
{
    static const struct trial trials[] = {
        {"server", "wrong-ca.pem", "localhost", NULL, NULL},
        {"self-signed", NULL, "localhost", NULL, NULL},
        {"expired", "ca.pem", "localhost", NULL, NULL},
        {"other-name", "ca.pem", "127.0.0.1", NULL, NULL},
    };
    mqc_log_set_level(MQC_LOG_OFF);
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        struct ends ends;
        attempt(&ends, &trials[i], TLS1_3_VERSION, true);
        ends_greet(&ends);
        ends_close(&ends);
    }
}
END_TEST

START_TEST(only_names_are_sent_as_names)
{
    static const struct {
        struct trial trial;
        const char *sent;
    } cases[] = {
        {{"server", "ca.pem", "localhost.", NULL, NULL}, "localhost"},
        {{"server", "ca.pem", "127.0.0.1", NULL, NULL}, NULL},
        {{"server", "ca.pem", "127.0.0.1", "localhost", NULL}, "localhost"},
        {{"server", "ca.pem", "localhost", "::1", NULL}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ends ends;
        attempt(&ends, &cases[i].trial, TLS1_3_VERSION, false);
        ends_greet(&ends);
        const char *sent = SSL_get_servername(ends.server->openssl, TLSEXT_NAMETYPE_host_name);
        ck_assert_pstr_eq(sent, cases[i].sent);
        ends_close(&ends);
    }
}
END_TEST

START_TEST(a_host_must_be_given)
{
    mqc_tls_options options = {.ca_file = certificate_path("ca.pem")};
    struct tls_context *context = new_client_context(&options);
    struct tls_session *session;
    char endless[2 * ADDRESS_HOST_BYTES];
    struct ends ends;
    mqc_error error;
    ends_plain(&ends);
    /* To OpenSSL an empty name means: any name will do. */
    ck_assert_int_eq(tls_session_new(context, ends.client_fd, "", &session, &error),
                     MQC_BAD_ARGUMENT);
    ck_assert_ptr_null(session);
    ck_assert_int_eq(tls_session_new(context, ends.client_fd, ".", &session, NULL),
                     MQC_BAD_ARGUMENT);
    memset(endless, 'a', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    ck_assert_int_eq(tls_session_new(context, ends.client_fd, endless, &session, &error),
                     MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "too long"));
    tls_context_free(context);
    ends_close(&ends);
}
END_TEST

/* A server that asks for a client certificate, and a client with the named one (NULL: none). */
static void attempt_mutual(struct ends *ends, const char *certificate, const char *key,
                           const char *password, int version)
{
    mqc_tls_options options = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    if (certificate) {
        options.certificate_file = certificate_path(certificate);
        options.key_file = certificate_path(key);
        options.key_password = password;
    }
    ends_plain(ends);
    ends_add_client(ends, &options, "localhost");
    ends_add_server(ends, "server", "ca.pem", version);
    ends_handshake(ends);
}

START_TEST(client_certificates_are_accepted)
{
    for (size_t v = 0; v < 2; v++) {
        struct ends ends;
        attempt_mutual(&ends, "client.pem", "client.key", NULL, versions[v]);
        ends_greet(&ends);
        ends_close(&ends);
        attempt_mutual(&ends, "client.pem", "client-encrypted.key", CERTIFICATES_PASSWORD,
                       versions[v]);
        ends_greet(&ends);
        X509 *seen = SSL_get0_peer_certificate(ends.server->openssl);
        ck_assert_ptr_nonnull(seen);
        ends_close(&ends);
    }
}
END_TEST

/* With TLS 1.3 the client's handshake is complete before the server has judged its certificate. */
static void check_refusal(struct ends *ends, int version, const char *text)
{
    char bytes[16];
    size_t moved = 99;
    ck_assert_int_eq(ends->server_result, IO_FAILED);
    if (version == TLS1_3_VERSION) {
        ck_assert_int_eq(ends->client_result, IO_DONE);
        ends->client_result =
            ends_read(ends->client, bytes, sizeof bytes, &moved, &ends->client_error);
        ck_assert_uint_eq(moved, 0);
    }
    ck_assert_int_eq(ends->client_result, IO_FAILED);
    check_text(&ends->client_error, text);
    check_text(&ends->client_error, "localhost:");
}

START_TEST(a_missing_client_certificate_is_named)
{
    for (size_t v = 0; v < 2; v++) {
        struct ends ends;
        attempt_mutual(&ends, NULL, NULL, NULL, versions[v]);
        check_text(&ends.server_error, "peer did not return a certificate");
        check_refusal(&ends, versions[v],
                      "the peer asks for a client certificate: set certificate_file and key_file");
        ends_close(&ends);
    }
}
END_TEST

START_TEST(a_wrong_client_certificate_is_named)
{
    for (size_t v = 0; v < 2; v++) {
        struct ends ends;
        attempt_mutual(&ends, "wrong-client.pem", "wrong-client.key", NULL, versions[v]);
        check_text(&ends.server_error, "the client's authority is not in client_ca_file");
        check_refusal(&ends, versions[v],
                      "the peer does not accept the client certificate (unknown ca)");
        ends_close(&ends);
        attempt_mutual(&ends, "server.pem", "server.key", NULL, versions[v]); /* of no use here */
        check_text(&ends.server_error, "certificate purpose");
        check_refusal(&ends, versions[v], "the peer does not accept the client certificate");
        ends_close(&ends);
    }
}
END_TEST

/* A client that speaks first: the server has gone, and only its last words tell why. */
static void check_writing(const char *certificate, const char *key, const char *text)
{
    struct ends ends;
    size_t moved;
    attempt_mutual(&ends, certificate, key, NULL, TLS1_3_VERSION);
    ck_assert_int_eq(ends.client_result, IO_DONE);
    socket_close(ends.server_fd);
    ends.server_fd = -1;
    enum io_result result;
    while ((result = tls_session_write(ends.client, "x", 1, &moved, &ends.client_error)) == IO_DONE)
        ;
    ck_assert_int_eq(result, IO_FAILED);
    check_text(&ends.client_error, text);
    ends_close(&ends);
}

START_TEST(writing_after_a_refusal_tells_the_reason)
{
    check_writing(NULL, NULL, "asks for a client certificate");
    check_writing("wrong-client.pem", "wrong-client.key",
                  "does not accept the client certificate (unknown ca)");
}
END_TEST

/* Servers that close without a word after asking for a certificate. */
START_TEST(a_wordless_refusal_is_understood)
{
    for (size_t v = 0; v < 2; v++) {
        struct ends ends;
        char byte;
        size_t moved;
        mqc_tls_options options = {.enabled = true, .ca_file = certificate_path("ca.pem")};
        ends_plain(&ends);
        ends_add_client(&ends, &options, "localhost");
        ends_add_server(&ends, "server", "ca.pem", versions[v]);
        ck_assert_int_eq(tls_session_handshake(ends.client, NULL), IO_WANT_READ);
        ck_assert(socket_wait(ends.server_fd, false, CLOCK_NEVER));
        ck_assert_int_eq(tls_session_handshake(ends.server, NULL), IO_WANT_READ);
        shutdown(ends.server_fd, SHUT_WR);
        ends_client_handshake(&ends);
        if (ends.client_result == IO_DONE)
            ends.client_result = ends_read(ends.client, &byte, 1, &moved, &ends.client_error);
        ck_assert_int_eq(ends.client_result, IO_FAILED);
        check_text(&ends.client_error,
                   "closed the connection after asking for a client certificate");
        ends_close(&ends);
    }
}
END_TEST

/* A server that would let its clients go on with an earlier session: each is looked at anew. */
START_TEST(sessions_are_not_resumed)
{
    mqc_tls_options options = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    struct tls_context *client = new_client_context(&options);
    struct tls_context *server = new_server_context("server", NULL, TLS1_2_VERSION);
    SSL_CTX_clear_options(server->openssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(server->openssl, SSL_SESS_CACHE_SERVER);
    for (int i = 0; i < 2; i++) {
        struct ends ends;
        ends_plain(&ends);
        ck_assert_int_eq(tls_session_new(client, ends.client_fd, "localhost", &ends.client, NULL),
                         MQC_OK);
        ck_assert_int_eq(tls_session_new(server, ends.server_fd, NULL, &ends.server, NULL), MQC_OK);
        ends_handshake(&ends);
        ends_greet(&ends);
        ck_assert_int_eq(SSL_session_reused(ends.client->openssl), 0);
        ends_close(&ends);
    }
    tls_context_free(client);
    tls_context_free(server);
}
END_TEST

static Suite *tls_trust_suite(void)
{
    certificates_make();
    Suite *suite = suite_create("net/tls trust");
    UNIT_CASE(suite, "server", trusted_servers_are_accepted,
              servers_that_cannot_be_trusted_are_refused, a_failure_stays,
              skip_verify_believes_everything, only_names_are_sent_as_names, a_host_must_be_given,
              sessions_are_not_resumed);
    UNIT_CASE(suite, "client", client_certificates_are_accepted,
              a_missing_client_certificate_is_named, a_wrong_client_certificate_is_named,
              writing_after_a_refusal_tells_the_reason, a_wordless_refusal_is_understood);
    return suite;
}
TEST_MAIN(tls_trust_suite)
