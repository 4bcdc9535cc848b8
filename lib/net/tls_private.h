/* What the files of lib/net/tls_*.c share; included by nobody else. */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "lib/net/tls.h"

struct tls_settings {
    bool server;
    bool verify;          /* the peer's certificate is checked */
    bool own_authority;   /* ca_file was given: not the system's trust store */
    bool has_certificate; /* there is one of our own */
};

struct tls_context {
    SSL_CTX *openssl;
    struct tls_settings settings;
    char *server_name; /* overrides the host to expect; NULL: none */
};

struct tls_session {
    SSL *openssl;
    int fd;
    enum io_result socket_result; /* what the socket said last */
    bool reading;                 /* tls_session_read is under way, */
    bool emptied;                 /* and has had all that the socket held */
    struct tls_settings settings;
    bool established;       /* the handshake is complete */
    bool certificate_asked; /* the server asked for a client certificate */
    bool received;          /* application data has come */
    bool ended;             /* `end` and, when that is IO_FAILED, `failure` are final */
    enum io_result end;
    mqc_error failure;
    char expected[ADDRESS_HOST_BYTES]; /* the name or number the peer must prove */
    char peer[ADDRESS_TEXT_BYTES];     /* for texts */
};

enum tls_phase { TLS_HANDSHAKE, TLS_READ, TLS_WRITE };

/* A BIO over the session's socket that never raises SIGPIPE; NULL when there is no memory. */
BIO *tls_bio_new(struct tls_session *session);

/* Fills session->end and session->failure from OpenSSL's error queue (emptying it) and the socket's
 * last result; `openssl_error` is SSL_get_error's. */
void tls_session_conclude(struct tls_session *session, enum tls_phase phase, int openssl_error);

/* The reason of the oldest entry of OpenSSL's error queue; never NULL. */
const char *tls_openssl_reason(void);

#endif
