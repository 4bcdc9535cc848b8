/* Two TLS sessions on the ends of one loopback connection, driven by one thread. */
#ifndef TEST_UNIT_NET_TLS_ENDS_H
#define TEST_UNIT_NET_TLS_ENDS_H

#include <openssl/err.h>
#include <poll.h>

#include "lib/net/tls_private.h"
#include "test/unit/net/certificates.h"
#include "test/unit/net/loopback.h"

struct ends {
    struct tls_session *client, *server; /* NULL: that end is plain */
    int client_fd, server_fd;
    enum io_result client_result, server_result;
    mqc_error client_error, server_error;
};

static inline struct tls_context *new_client_context(const mqc_tls_options *options)
{
    struct tls_context *context;
    mqc_error error;
    ck_assert_msg(tls_context_new(options, NULL, &context, &error) == MQC_OK, "%s", error.text);
    return context;
}

/* A server with the certificate of that name; `version` is the newest it speaks. */
static inline struct tls_context *new_server_context(const char *name, const char *client_ca,
                                                     int version)
{
    struct tls_context *context;
    char certificate[64], key[64];
    mqc_error error;
    snprintf(certificate, sizeof certificate, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    ck_assert_msg(tls_context_new_server(certificate_path(certificate), certificate_path(key),
                                         client_ca ? certificate_path(client_ca) : NULL, &context,
                                         &error) == MQC_OK,
                  "%s", error.text);
    ck_assert(SSL_CTX_set_max_proto_version(context->openssl, version));
    return context;
}

static inline void ends_plain(struct ends *ends)
{
    memset(ends, 0, sizeof *ends);
    loopback_pair(&ends->client_fd, &ends->server_fd);
}

static inline void ends_add_client(struct ends *ends, const mqc_tls_options *options,
                                   const char *host)
{
    struct tls_context *context = new_client_context(options);
    mqc_error error;
    ck_assert_msg(tls_session_new(context, ends->client_fd, host, &ends->client, &error) == MQC_OK,
                  "%s", error.text);
    tls_context_free(context); /* the session does not need it any more */
}

static inline void ends_add_server(struct ends *ends, const char *name, const char *client_ca,
                                   int version)
{
    struct tls_context *context = new_server_context(name, client_ca, version);
    mqc_error error;
    ck_assert_msg(tls_session_new(context, ends->server_fd, NULL, &ends->server, &error) == MQC_OK,
                  "%s", error.text);
    tls_context_free(context);
}

static inline bool waits(enum io_result result)
{
    return result == IO_WANT_READ || result == IO_WANT_WRITE;
}

static inline struct pollfd waiting_for(int fd, enum io_result result)
{
    return (struct pollfd){.fd = waits(result) ? fd : -1,
                           .events = result == IO_WANT_WRITE ? POLLOUT : POLLIN};
}

/* Until both ends have ended their handshake one way or the other. */
static inline void ends_handshake(struct ends *ends)
{
    ends->client_result = ends->server_result = IO_WANT_READ;
    for (;;) {
        if (waits(ends->client_result))
            ends->client_result = tls_session_handshake(ends->client, &ends->client_error);
        if (waits(ends->server_result))
            ends->server_result = tls_session_handshake(ends->server, &ends->server_error);
        if (!waits(ends->client_result) && !waits(ends->server_result)) return;
        struct pollfd items[] = {waiting_for(ends->client_fd, ends->client_result),
                                 waiting_for(ends->server_fd, ends->server_result)};
        poll(items, 2, -1);
    }
}

/* Until the client's handshake has ended; the other end is silent or has said all it will say. */
static inline void ends_client_handshake(struct ends *ends)
{
    while (waits(ends->client_result = tls_session_handshake(ends->client, &ends->client_error)))
        socket_wait(ends->client_fd, ends->client_result == IO_WANT_WRITE, CLOCK_NEVER);
}

static inline enum io_result ends_read(struct tls_session *session, char *at, size_t bytes,
                                       size_t *moved, mqc_error *error)
{
    enum io_result result;
    while (waits(result = tls_session_read(session, at, bytes, moved, error)))
        socket_wait(session->fd, result == IO_WANT_WRITE, CLOCK_NEVER);
    return result;
}

static inline void ends_say(struct tls_session *from, struct tls_session *to, const char *text)
{
    char heard[64];
    size_t moved, size = strlen(text);
    mqc_error error;
    ck_assert_msg(tls_session_write(from, text, size, &moved, &error) == IO_DONE, "%s", error.text);
    ck_assert_uint_eq(moved, size);
    ck_assert_msg(ends_read(to, heard, sizeof heard, &moved, &error) == IO_DONE, "%s", error.text);
    ck_assert_uint_eq(moved, size);
    ck_assert_mem_eq(heard, text, size);
}

static inline void ends_greet(struct ends *ends)
{
    ck_assert_msg(ends->client_result == IO_DONE, "%s", ends->client_error.text);
    ck_assert_msg(ends->server_result == IO_DONE, "%s", ends->server_error.text);
    ends_say(ends->client, ends->server, "hello, server");
    ends_say(ends->server, ends->client, "hello, client");
}

static inline void ends_close(struct ends *ends)
{
    tls_session_free(ends->client);
    tls_session_free(ends->server);
    socket_close(ends->client_fd);
    if (ends->server_fd >= 0) socket_close(ends->server_fd);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

static inline void check_text(const mqc_error *error, const char *part)
{
    ck_assert_int_eq(error->status, MQC_TLS);
    ck_assert_msg(strstr(error->text, part) != NULL, "\"%s\" does not say \"%s\"", error->text,
                  part);
}

#endif
