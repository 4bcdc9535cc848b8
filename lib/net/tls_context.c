/* TLS contexts: settings, authorities, certificates and keys, made once a client instance. Any
 * thread. Reads files; called while options are checked and when servers start. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/net/tls_private.h"

struct key_password {
    const char *text; /* the caller's; never copied by us */
    bool asked;
};

static mqc_status new_context(const SSL_METHOD *method, struct tls_context **out, mqc_error *error);
static mqc_status set_client(struct tls_context *context, const mqc_tls_options *options,
                             mqc_error *error);
static mqc_status set_server(struct tls_context *context, const char *certificate_file,
                             const char *key_file, const char *client_ca_file, mqc_error *error);
static mqc_status load_authorities(struct tls_context *context, const char *setting,
                                   const char *file, mqc_error *error);
static mqc_status load_certificate(struct tls_context *context, const char *certificate_file,
                                   const char *key_file, const char *password, mqc_error *error);
static int give_password(char *out, int size, int writing, void *argument);

static const char *given(const char *option)
{
    return option && option[0] != '\0' ? option : NULL;
}

mqc_status tls_context_new(const mqc_tls_options *options, struct tls_context **out,
                           mqc_error *error)
{
    struct tls_context *context;
    *out = NULL;
    mqc_status status = new_context(TLS_client_method(), &context, error);
    if (status != MQC_OK) return status;
    status = set_client(context, options, error);
    ERR_clear_error();
    if (status != MQC_OK) {
        tls_context_free(context);
        return status;
    }
    if (options->skip_verify)
        log_warn(LOG_REMOTING, "tls verify=off: ANYBODY CAN PRETEND TO BE A BROKER or name server "
                               "and read everything; skip_verify is for tests only");
    *out = context;
    return MQC_OK;
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
    memory_free(context->server_name);
    memory_free(context);
}

static mqc_status new_context(const SSL_METHOD *method, struct tls_context **out, mqc_error *error)
{
    struct tls_context *context = memory_allocate_zero(1, sizeof *context);
    if (!context) return error_no_memory(error);
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
    /* Connections are few and last long: nothing is gained by resuming sessions. */
    SSL_CTX_set_session_cache_mode(openssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(openssl, give_password);
    *out = context;
    return MQC_OK;
}

static mqc_status set_client(struct tls_context *context, const mqc_tls_options *options,
                             mqc_error *error)
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
        status = load_authorities(context, "ca_file", ca_file, error);
    else if (!SSL_CTX_set_default_verify_paths(context->openssl))
        status = error_set(error, MQC_TLS, "TLS: the system's trust store cannot be used: %s",
                           tls_openssl_reason());
    if (status != MQC_OK || !certificate_file) return status;
    return load_certificate(context, certificate_file, key_file, options->key_password, error);
}

static mqc_status set_server(struct tls_context *context, const char *certificate_file,
                             const char *key_file, const char *client_ca_file, mqc_error *error)
{
    context->settings.server = true;
    SSL_CTX_set_options(context->openssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context->openssl, 0);
    mqc_status status = load_certificate(context, certificate_file, key_file, NULL, error);
    if (status != MQC_OK || !given(client_ca_file)) return status;
    context->settings.verify = true;
    SSL_CTX_set_verify(context->openssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    status = load_authorities(context, "client_ca_file", client_ca_file, error);
    if (status != MQC_OK) return status;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(client_ca_file);
    if (names) SSL_CTX_set_client_CA_list(context->openssl, names); /* a hint to clients only */
    return MQC_OK;
}

/* Says what is wrong with a file, by the oldest entry of OpenSSL's error queue. */
static mqc_status file_failed(const char *setting, const char *file, mqc_error *error)
{
    unsigned long code = ERR_peek_error();
    if (ERR_SYSTEM_ERROR(code)) {
        mqc_error system;
        error_system(&system, ERR_GET_REASON(code), file);
        return error_set(error, MQC_TLS, "TLS: %s %s", setting, system.text);
    }
    bool no_pem = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    return error_set(error, MQC_TLS, "TLS: %s %s: %s", setting, file,
                     no_pem ? "there is nothing in PEM form in it" : tls_openssl_reason());
}

static mqc_status load_authorities(struct tls_context *context, const char *setting,
                                   const char *file, mqc_error *error)
{
    ERR_clear_error();
    if (!SSL_CTX_load_verify_file(context->openssl, file)) return file_failed(setting, file, error);
    context->settings.own_authority = true;
    /* Whatever the file holds is trusted, be it a root, an intermediate or the server itself. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context->openssl), X509_V_FLAG_PARTIAL_CHAIN);
    return MQC_OK;
}

static mqc_status key_failed(const char *certificate_file, const char *key_file,
                             const struct key_password *password, mqc_error *error)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_REASON(code);
    bool mismatch = ERR_GET_LIB(code) == ERR_LIB_X509 &&
                    (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH);
    if (mismatch || password == NULL)
        return error_set(error, MQC_TLS,
                         "TLS: key_file %s is not the key of the certificate in certificate_file "
                         "%s",
                         key_file, certificate_file);
    if (password->asked && !given(password->text))
        return error_set(error, MQC_TLS, "TLS: key_file %s: the key is encrypted: set key_password",
                         key_file);
    if (password->asked)
        return error_set(error, MQC_TLS,
                         "TLS: key_file %s: the key cannot be decrypted: is key_password right? "
                         "(%s)",
                         key_file, tls_openssl_reason());
    return file_failed("key_file", key_file, error);
}

static mqc_status load_certificate(struct tls_context *context, const char *certificate_file,
                                   const char *key_file, const char *password_text,
                                   mqc_error *error)
{
    struct key_password password = {.text = password_text};
    SSL_CTX *openssl = context->openssl;
    ERR_clear_error();
    if (!SSL_CTX_use_certificate_chain_file(openssl, certificate_file))
        return file_failed("certificate_file", certificate_file, error);
    SSL_CTX_set_default_passwd_cb_userdata(openssl, &password);
    ERR_clear_error();
    int loaded = SSL_CTX_use_PrivateKey_file(openssl, key_file, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(openssl, NULL);
    if (loaded != 1) return key_failed(certificate_file, key_file, &password, error);
    ERR_clear_error();
    if (!SSL_CTX_check_private_key(openssl))
        return key_failed(certificate_file, key_file, NULL, error);
    context->settings.has_certificate = true;
    return MQC_OK;
}

/* Always set: without it OpenSSL would ask on the terminal. */
static int give_password(char *out, int size, int writing, void *argument)
{
    struct key_password *password = argument;
    (void)writing;
    if (!password) return -1;
    password->asked = true;
    size_t length = password->text ? strlen(password->text) : 0;
    if (length == 0 || length > (size_t)size) return -1;
    memcpy(out, password->text, length); /* OpenSSL wipes its copy */
    return (int)length;
}
