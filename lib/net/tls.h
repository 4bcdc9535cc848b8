/* TLS on OpenSSL 3. A context holds settings and certificates, a session one connection's state.
 * A session moves bytes through socket_read and socket_write, never waits, and says what it waits
 * for. One thread at a time uses a session; a context may be shared by any threads and be freed
 * before its sessions. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <mqclient/client.h>

#include "lib/net/socket.h"

struct tls_context;
struct tls_session;

/* For clients. MQC_TLS (or MQC_BAD_ARGUMENT) says which file or setting is wrong and why. Never
 * falls back to plain text. An empty string in the options is the same as none. Each file may be
 * given as its text instead (tls_is_pem); one that changes later is read again before the next
 * session. `crl_file`: revoked certificates; may be NULL. */
mqc_status tls_context_new(const mqc_tls_options *options, const char *crl_file,
                           struct tls_context **out, mqc_error *error);

/* Whether a setting is PEM itself, not the path of a file. */
bool tls_is_pem(const char *source);

/* For servers (the embedded cluster, tests): a certificate chain, its key, and an authority that
 * clients' certificates must come from (NULL: none asked for). */
mqc_status tls_context_new_server(const char *certificate_file, const char *key_file,
                                  const char *client_ca_file, struct tls_context **out,
                                  mqc_error *error);
void tls_context_free(struct tls_context *context); /* NULL is fine */

/* A session on a connected socket, which stays the caller's. `host` is the peer's name or IP
 * address to be checked (ignored for servers). */
mqc_status tls_session_new(struct tls_context *context, int fd, const char *host,
                           struct tls_session **out, mqc_error *error);
void tls_session_free(struct tls_session *session); /* NULL is fine; does not touch the socket */

/* Goes on with the handshake: IO_DONE when it is complete, IO_WANT_* when the socket must become
 * ready first, IO_FAILED with MQC_TLS: certificate, host name, no client certificate, plain peer, …
 */
enum io_result tls_session_handshake(struct tls_session *session, mqc_error *error);

/* Whether the next read or write will say so: a read that brought bytes may have seen the end. */
bool tls_session_ended(const struct tls_session *session);

/* As socket_read and socket_write; `error` is filled when the result is IO_FAILED. The socket may
 * have nothing more while the session still has: read until the result is IO_WANT_* or *moved is
 * less than `bytes` before waiting for the socket again. With TLS 1.3 a server's refusal of the
 * client's certificate arrives here, after the handshake. */
enum io_result tls_session_read(struct tls_session *session, char *at, size_t bytes, size_t *moved,
                                mqc_error *error);

/* After IO_WANT_* (or IO_DONE with less than `size` moved) the next write must begin with the bytes
 * that were not moved, at any place in memory, and be no shorter. */
enum io_result tls_session_write(struct tls_session *session, const char *bytes, size_t size,
                                 size_t *moved, mqc_error *error);

/* Tells the peer that nothing more comes (close_notify) if that is possible without waiting. To be
 * called, if at all, before the socket is closed. */
void tls_session_say_goodbye(struct tls_session *session);

#endif
