/* What the files of lib/net/tls_*.c share; included by nobody else. */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "lib/base/lock.h"
#include "lib/net/tls.h"

struct tls_settings {
    bool server;
    bool verify;          /* the peer's certificate is checked */
    bool own_authority;   /* ca_file was given: not the system's trust store */
    bool has_certificate; /* there is one of our own */
};

enum { TLS_FILES = 4 }; /* authorities, certificate, key, revocations */

/* By which another file than before is known. */
struct file_stamp {
    int64_t seconds, nanoseconds;
    uint64_t number;
    int64_t size;
};

/* What a client's context was made of, for another one when the files change. */
struct tls_files {
    mqc_tls_options options; /* texts are owned */
    const char *crl_file;
    struct file_stamp stamps[TLS_FILES]; /* of the files when they were last read */
};

struct tls_context {
    struct lock lock; /* guards openssl, reading and the stamps */
    SSL_CTX *openssl;
    bool reading; /* somebody makes the next `openssl` */
    struct tls_settings settings;
    struct tls_files *files; /* NULL: a server's, or never read again */
    char *server_name;       /* overrides the host to expect; NULL: none */
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

/* A client's context without its files. */
mqc_status tls_context_make(const mqc_tls_options *options, const char *crl_file,
                            struct tls_context **out, mqc_error *error);

/* ---- tls_reload.c ---- */
mqc_status tls_files_new(const mqc_tls_options *options, const char *crl_file,
                         struct tls_files **out, mqc_error *error);
void tls_files_free(struct tls_files *files);
/* What new sessions are to be made of, counted: see SSL_CTX_free. */
SSL_CTX *tls_context_current(struct tls_context *context);

/* ---- tls_pem.c: `source` is a path or, as tls_is_pem says, the text itself ---- */
mqc_status tls_load_authorities(SSL_CTX *openssl, const char *setting, const char *source,
                                mqc_error *error);
mqc_status tls_load_revocations(SSL_CTX *openssl, const char *source, mqc_error *error);
mqc_status tls_load_certificate(SSL_CTX *openssl, const char *certificate, const char *key,
                                const char *password_text, mqc_error *error);
/* Always set: without it OpenSSL would ask on the terminal. */
int tls_give_password(char *out, int size, int writing, void *argument);

/* A BIO over the session's socket that never raises SIGPIPE; NULL when there is no memory. */
BIO *tls_bio_new(struct tls_session *session);

/* Fills session->end and session->failure from OpenSSL's error queue (emptying it) and the socket's
 * last result; `openssl_error` is SSL_get_error's. */
void tls_session_conclude(struct tls_session *session, enum tls_phase phase, int openssl_error);

/* The reason of the oldest entry of OpenSSL's error queue; never NULL. */
const char *tls_openssl_reason(void);

#endif
