/* TLS contexts: settings, authorities, certificates and keys, made once a client instance. Any
 * thread. Reads files; called while options are checked and when servers start. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/net/tls_private.h"

static mqc_status new_context(const SSL_METHOD *method, struct tls_context **out, mqc_error *error);
static mqc_status set_client(struct tls_context *context, const mqc_tls_options *options,
                             const char *crl_file, mqc_error *error);
static mqc_status set_server(struct tls_context *context, const char *certificate_file,
                             const char *key_file, const char *client_ca_file, mqc_error *error);
static const char *given(const char *option)
{
    return option && option[0] != '\0' ? option : NULL;
}

mqc_status tls_context_new(const mqc_tls_options *options, const char *crl_file,
                           struct tls_context **out, mqc_error *error)
{
    struct tls_files *files;
    *out = NULL;
    mqc_status status = tls_files_new(options, crl_file, &files, error);
    if (status != MQC_OK) return status;
    status = tls_context_make(options, crl_file, out, error);
    if (status != MQC_OK) {
        tls_files_free(files);
        return status;
    }
    (*out)->files = files;
    if (options->skip_verify)
        log_warn(LOG_REMOTING, "tls verify=off: ANYBODY CAN PRETEND TO BE A BROKER or name server "
                               "and read everything; skip_verify is for tests only");
    return MQC_OK;
}

mqc_status tls_context_make(const mqc_tls_options *options, const char *crl_file,
                            struct tls_context **out, mqc_error *error)
{
    struct tls_context *context;
    mqc_status status = new_context(TLS_client_method(), &context, error);
    if (status != MQC_OK) return status;
    status = set_client(context, options, crl_file, error);
    ERR_clear_error();
    if (status == MQC_OK)
        *out = context;
    else
        tls_context_free(context);
    return status;
}

mqc_status tls_context_new_server(const char *certificate_file, const char *key_file,
                                  const char *client_ca_file, struct tls_context **out,
                                  mqc_error *error)
{
    struct tls_context *context;
    *out = NULL;
    mqc_status status = new_context(TLS_server_method(), &context, error);
    if (status != MQC_OK) return status;
    status = set_server(context, certificate_file, key_file, client_ca_file, error);
    ERR_clear_error();
    if (status != MQC_OK) {
        tls_context_free(context);
        return status;
    }
    *out = context;
    return MQC_OK;
}

void tls_context_free(struct tls_context *context)
{
    if (!context) return;
    SSL_CTX_free(context->openssl); /* lives on in its sessions */
    tls_files_free(context->files);
    memory_free(context->server_name);
    lock_done(&context->lock);
    memory_free(context);
}

static mqc_status new_context(const SSL_METHOD *method, struct tls_context **out, mqc_error *error)
{
    struct tls_context *context = memory_allocate_zero(1, sizeof *context);
    if (!context) return error_no_memory(error);
    lock_init(&context->lock, LOCK_RANK_LEAF);
    ERR_clear_error();
    SSL_CTX *openssl = context->openssl = SSL_CTX_new(method);
    if (!openssl || !SSL_CTX_set_min_proto_version(openssl, TLS1_2_VERSION)) {
        mqc_status status =
            error_set(error, MQC_TLS, "TLS: OpenSSL cannot be set up: %s", tls_openssl_reason());
        ERR_clear_error();
        tls_context_free(context);
        return status;
    }
    SSL_CTX_set_options(openssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(openssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_AUTO_RETRY);
    /* Fewer system calls; tls_session_read empties the session before it says IO_WANT_READ. */
    SSL_CTX_set_read_ahead(openssl, 1);
    /* Connections are few and last long: nothing is gained by resuming sessions, and a resumed one
     * would not have its certificate looked at again, which may have been revoked. */
    SSL_CTX_set_session_cache_mode(openssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(openssl, tls_give_password);
    *out = context;
    return MQC_OK;
}

static mqc_status set_client(struct tls_context *context, const mqc_tls_options *options,
                             const char *crl_file, mqc_error *error)
{
    const char *ca_file = given(options->ca_file), *key_file = given(options->key_file);
    const char *certificate_file = given(options->certificate_file);
    mqc_status status = MQC_OK;
    context->settings.verify = !options->skip_verify;
    SSL_CTX_set_verify(context->openssl, options->skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       NULL);
    if (!certificate_file != !key_file)
        return error_set(
            error, MQC_BAD_ARGUMENT, "TLS: %s is set without %s: a client certificate needs both",
            key_file ? "key_file" : "certificate_file", key_file ? "certificate_file" : "key_file");
    if (given(options->server_name)) {
        if (strlen(options->server_name) >= ADDRESS_HOST_BYTES)
            return error_set(error, MQC_BAD_ARGUMENT, "TLS: server_name is too long");
        context->server_name = memory_duplicate(options->server_name);
        if (!context->server_name) return error_no_memory(error);
    }
    if (ca_file)
        status = tls_load_authorities(context->openssl, "ca_file", ca_file, error);
    else if (!SSL_CTX_set_default_verify_paths(context->openssl))
        status = error_set(error, MQC_TLS, "TLS: the system's trust store cannot be used: %s",
                           tls_openssl_reason());
    context->settings.own_authority = ca_file != NULL;
    if (status == MQC_OK && given(crl_file))
        status = tls_load_revocations(context->openssl, crl_file, error);
    if (status != MQC_OK || !certificate_file) return status;
    context->settings.has_certificate = true;
    return tls_load_certificate(context->openssl, certificate_file, key_file, options->key_password,
                                error);
}

static mqc_status set_server(struct tls_context *context, const char *certificate_file,
                             const char *key_file, const char *client_ca_file, mqc_error *error)
{
    context->settings.server = true;
    SSL_CTX_set_options(context->openssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context->openssl, 0);
    mqc_status status =
        tls_load_certificate(context->openssl, certificate_file, key_file, NULL, error);
    if (status != MQC_OK || !given(client_ca_file)) return status;
    context->settings.verify = true;
    SSL_CTX_set_verify(context->openssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    status = tls_load_authorities(context->openssl, "client_ca_file", client_ca_file, error);
    if (status != MQC_OK) return status;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(client_ca_file);
    if (names) SSL_CTX_set_client_CA_list(context->openssl, names); /* a hint to clients only */
    return MQC_OK;
}
