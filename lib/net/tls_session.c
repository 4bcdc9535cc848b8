/* TLS sessions: handshake, reading and writing without ever waiting. One thread at a time a session
 * (the connection's lock sees to it). Called by connections and the embedded cluster. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "lib/base/bug.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/net/tls_private.h"

static mqc_status set_up(struct tls_session *session, struct tls_context *context, const char *host,
                         mqc_error *error);
static mqc_status set_up_client(struct tls_session *session, const char *expected,
                                mqc_error *error);
static void name_peer(struct tls_session *session, const char *host);
static int note_certificate_asked(SSL *openssl, void *argument);
static enum io_result read_all(struct tls_session *session, char *at, size_t bytes, size_t *moved,
                               mqc_error *error);
static void begin(struct tls_session *session);
static enum io_result settle(struct tls_session *session, enum tls_phase phase, int result);
static enum io_result report(const struct tls_session *session, mqc_error *error);

mqc_status tls_session_new(struct tls_context *context, int fd, const char *host,
                           struct tls_session **out, mqc_error *error)
{
    *out = NULL;
    struct tls_session *session = memory_allocate_zero(1, sizeof *session);
    if (!session) return error_no_memory(error);
    session->fd = fd;
    session->settings = context->settings;
    ERR_clear_error();
    mqc_status status = set_up(session, context, host, error);
    ERR_clear_error();
    if (status == MQC_OK)
        *out = session;
    else
        tls_session_free(session);
    return status;
}

static mqc_status set_up(struct tls_session *session, struct tls_context *context, const char *host,
                         mqc_error *error)
{
    SSL_CTX *current = tls_context_current(context);
    session->openssl = SSL_new(current);
    SSL_CTX_free(current);
    BIO *bio = session->openssl ? tls_bio_new(session) : NULL;
    if (!bio) return error_no_memory(error);
    SSL_set_bio(session->openssl, bio, bio);
    if (context->settings.server) {
        socket_peer_host(session->fd, session->peer);
        SSL_set_accept_state(session->openssl);
        return MQC_OK;
    }
    BUG_IF(!host, "a TLS client without the peer's host");
    name_peer(session, host);
    SSL_set_connect_state(session->openssl);
    SSL_set_cert_cb(session->openssl, note_certificate_asked, session);
    return set_up_client(session, context->server_name ? context->server_name : host, error);
}

/* "host:port" as the user knows it, the port from the socket. */
static void name_peer(struct tls_session *session, const char *host)
{
    struct socket_address end = {.size = sizeof end.storage};
    struct address address = {.port = 0};
    if (getpeername(session->fd, (struct sockaddr *)&end.storage, &end.size) == 0)
        address_of_socket(&end, &address);
    snprintf(address.host, sizeof address.host, "%s", host);
    address_format(&address, session->peer);
}

static mqc_status set_up_client(struct tls_session *session, const char *expected, mqc_error *error)
{
    X509_VERIFY_PARAM *verification = SSL_get0_param(session->openssl);
    struct address address = {.port = 0};
    size_t size = strlen(expected);
    if (size >= sizeof address.host)
        return error_set(error, MQC_BAD_ARGUMENT, "%s: the name is too long for TLS",
                         session->peer);
    memcpy(address.host, expected, size + 1);
    if (size > 0 && expected[size - 1] == '.') address.host[size - 1] = '\0';
    bool numeric = address_is_numeric(&address);
    if (numeric) address.host[strcspn(address.host, "%")] = '\0'; /* fe80::1%eth0 */
    /* OpenSSL takes an empty name for "do not check": never let it have one. */
    if (address.host[0] == '\0')
        return error_set(error, MQC_BAD_ARGUMENT, "TLS needs the peer's name or IP address");
    memcpy(session->expected, address.host, sizeof session->expected);
    X509_VERIFY_PARAM_set_hostflags(verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int fine = numeric ? X509_VERIFY_PARAM_set1_ip_asc(verification, session->expected)
                       : X509_VERIFY_PARAM_set1_host(verification, session->expected, 0) &&
                             SSL_set_tlsext_host_name(session->openssl, session->expected);
    if (fine) return MQC_OK;
    return error_set(error, MQC_TLS, "%s: \"%s\" cannot be expected by TLS: %s", session->peer,
                     session->expected, tls_openssl_reason());
}

static int note_certificate_asked(SSL *openssl, void *argument)
{
    struct tls_session *session = argument;
    (void)openssl;
    session->certificate_asked = true;
    return 1;
}

void tls_session_free(struct tls_session *session)
{
    if (!session) return;
    SSL_free(session->openssl); /* with the BIO; wipes the keys */
    memory_free(session);
}

enum io_result tls_session_handshake(struct tls_session *session, mqc_error *error)
{
    if (session->ended) return report(session, error);
    begin(session);
    int result = SSL_do_handshake(session->openssl);
    if (result == 1) {
        session->established = true;
        return IO_DONE;
    }
    enum io_result outcome = settle(session, TLS_HANDSHAKE, result);
    return session->ended ? report(session, error) : outcome;
}

bool tls_session_ended(const struct tls_session *session)
{
    return session->ended;
}

enum io_result tls_session_read(struct tls_session *session, char *at, size_t bytes, size_t *moved,
                                mqc_error *error)
{
    *moved = 0;
    if (bytes == 0) return IO_DONE;
    if (session->ended) return report(session, error);
    session->reading = true;
    enum io_result outcome = read_all(session, at, bytes, moved, error);
    session->reading = session->emptied = false;
    return outcome;
}

/* All that has come: one call of the system, most times. */
static enum io_result read_all(struct tls_session *session, char *at, size_t bytes, size_t *moved,
                               mqc_error *error)
{
    while (*moved < bytes) {
        size_t got = 0;
        begin(session);
        int result = SSL_read_ex(session->openssl, at + *moved, bytes - *moved, &got);
        if (result != 1) {
            enum io_result outcome = settle(session, TLS_READ, result);
            if (*moved > 0) return IO_DONE; /* the next call tells the rest */
            return session->ended ? report(session, error) : outcome;
        }
        session->received = true;
        *moved += got;
    }
    return IO_DONE;
}

enum io_result tls_session_write(struct tls_session *session, const char *bytes, size_t size,
                                 size_t *moved, mqc_error *error)
{
    *moved = 0;
    if (size == 0) return IO_DONE;
    if (session->ended) return report(session, error);
    while (*moved < size) {
        size_t put = 0;
        begin(session);
        int result = SSL_write_ex(session->openssl, bytes + *moved, size - *moved, &put);
        if (result != 1) {
            enum io_result outcome = settle(session, TLS_WRITE, result);
            if (*moved > 0) return IO_DONE;
            return session->ended ? report(session, error) : outcome;
        }
        *moved += put;
    }
    return IO_DONE;
}

void tls_session_say_goodbye(struct tls_session *session)
{
    if (!SSL_is_init_finished(session->openssl)) return;
    if (session->ended && session->end == IO_FAILED) return;
    begin(session);
    SSL_shutdown(session->openssl);
    ERR_clear_error();
}

/* OpenSSL judges a call by what is in the thread's error queue: it must be empty before. */
static void begin(struct tls_session *session)
{
    ERR_clear_error();
    session->socket_result = IO_DONE;
}

/* What a call of OpenSSL that did not succeed came to; ends the session unless it only waits. */
static enum io_result settle(struct tls_session *session, enum tls_phase phase, int result)
{
    int openssl_error = SSL_get_error(session->openssl, result);
    if (openssl_error == SSL_ERROR_WANT_READ) return IO_WANT_READ;
    if (openssl_error == SSL_ERROR_WANT_WRITE) return IO_WANT_WRITE;
    tls_session_conclude(session, phase, openssl_error);
    ERR_clear_error();
    session->ended = true;
    return session->end;
}

static enum io_result report(const struct tls_session *session, mqc_error *error)
{
    if (session->end == IO_FAILED && error) *error = session->failure;
    return session->end;
}
