/* OpenSSL's way to a session's socket. Its own socket BIO writes with write(2), which raises
 * SIGPIPE; this one goes through socket_read and socket_write. Runs inside OpenSSL's calls on the
 * thread that uses the session. */
#include <openssl/bio.h>
#include <pthread.h>

#include "lib/net/tls_private.h"

static int bio_read(BIO *bio, char *at, size_t bytes, size_t *moved);
static int bio_write(BIO *bio, const char *bytes, size_t size, size_t *moved);
static long bio_control(BIO *bio, int command, long number, void *pointer);
static int bio_create(BIO *bio);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method; /* for the process's life; NULL: no memory */

static void make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mqclient socket");
    if (!made) return;
    if (BIO_meth_set_read_ex(made, bio_read) && BIO_meth_set_write_ex(made, bio_write) &&
        BIO_meth_set_ctrl(made, bio_control) && BIO_meth_set_create(made, bio_create))
        method = made;
    else
        BIO_meth_free(made);
}

BIO *tls_bio_new(struct tls_session *session)
{
    pthread_once(&once, make_method);
    BIO *bio = method ? BIO_new(method) : NULL;
    if (bio) BIO_set_data(bio, session);
    return bio;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static int bio_read(BIO *bio, char *at, size_t bytes, size_t *moved)
{
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    session->socket_result =
        session->emptied ? IO_WANT_READ : socket_read(session->fd, at, bytes, moved);
    if (session->socket_result == IO_DONE) session->emptied = session->reading && *moved < bytes;
    if (session->socket_result == IO_WANT_READ) BIO_set_retry_read(bio);
    return session->socket_result == IO_DONE;
}

static int bio_write(BIO *bio, const char *bytes, size_t size, size_t *moved)
{
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    session->socket_result = socket_write(session->fd, bytes, size, moved);
    if (session->socket_result == IO_WANT_WRITE) BIO_set_retry_write(bio);
    return session->socket_result == IO_DONE;
}

/* Nothing is buffered here, so flushing is done at once; all other questions have the answer no. */
static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}
