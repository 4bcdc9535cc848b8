/* Authorities, revocations, certificates and keys out of PEM, which is in a file or given as text.
 * Any thread. Called by tls_context.c while a context is made. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "lib/base/error.h"
#include "lib/net/tls_private.h"

struct key_password {
    const char *text; /* the caller's; never copied by us */
    bool asked;
};

static bool add_authorities(SSL_CTX *openssl, const char *text);
static bool use_chain(SSL_CTX *openssl, const char *text);
static bool use_key(SSL_CTX *openssl, const char *text);
static mqc_status file_failed(const char *setting, const char *source, mqc_error *error);
static mqc_status key_failed(const char *certificate, const char *key,
                             const struct key_password *password, mqc_error *error);

bool tls_is_pem(const char *source)
{
    return source && strncmp(source + strspn(source, " \t\r\n"), "-----BEGIN", 10) == 0;
}

/* A text may be a key: it is never shown. */
static const char *shown(const char *source)
{
    return tls_is_pem(source) ? "(given as text)" : source;
}

static BIO *open_pem(const char *source)
{
    return tls_is_pem(source) ? BIO_new_mem_buf(source, -1) : BIO_new_file(source, "r");
}

mqc_status tls_load_authorities(SSL_CTX *openssl, const char *setting, const char *source,
                                mqc_error *error)
{
    ERR_clear_error();
    bool loaded = tls_is_pem(source) ? add_authorities(openssl, source)
                                     : SSL_CTX_load_verify_file(openssl, source) == 1;
    if (!loaded) return file_failed(setting, source, error);
    /* Whatever is there is trusted, be it a root, an intermediate or the server itself. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(openssl), X509_V_FLAG_PARTIAL_CHAIN);
    return MQC_OK;
}

static bool add_authorities(SSL_CTX *openssl, const char *text)
{
    BIO *bio = open_pem(text);
    int count = 0;
    bool good = bio != NULL;
    X509 *certificate;
    while (good && (certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL))) {
        good = X509_STORE_add_cert(SSL_CTX_get_cert_store(openssl), certificate) == 1;
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    return good && count > 0;
}

mqc_status tls_load_revocations(SSL_CTX *openssl, const char *source, mqc_error *error)
{
    ERR_clear_error();
    BIO *bio = open_pem(source);
    int count = 0;
    bool good = bio != NULL;
    X509_CRL *list;
    while (good && (list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL))) {
        good = X509_STORE_add_crl(SSL_CTX_get_cert_store(openssl), list) == 1;
        X509_CRL_free(list);
        count++;
    }
    BIO_free(bio);
    if (!good || count == 0) return file_failed("tls_crl_file", source, error);
    /* The peer's own certificate: authorities rarely publish lists of their authorities. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(openssl), X509_V_FLAG_CRL_CHECK);
    return MQC_OK;
}

mqc_status tls_load_certificate(SSL_CTX *openssl, const char *certificate, const char *key,
                                const char *password_text, mqc_error *error)
{
    struct key_password password = {.text = password_text};
    ERR_clear_error();
    bool loaded = tls_is_pem(certificate)
                      ? use_chain(openssl, certificate)
                      : SSL_CTX_use_certificate_chain_file(openssl, certificate) == 1;
    if (!loaded) return file_failed("certificate_file", certificate, error);
    SSL_CTX_set_default_passwd_cb_userdata(openssl, &password);
    ERR_clear_error();
    loaded = tls_is_pem(key) ? use_key(openssl, key)
                             : SSL_CTX_use_PrivateKey_file(openssl, key, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(openssl, NULL);
    if (!loaded) return key_failed(certificate, key, &password, error);
    ERR_clear_error();
    if (!SSL_CTX_check_private_key(openssl)) return key_failed(certificate, key, NULL, error);
    return MQC_OK;
}

/* As SSL_CTX_use_certificate_chain_file. */
static bool use_chain(SSL_CTX *openssl, const char *text)
{
    BIO *bio = open_pem(text);
    X509 *certificate = bio ? PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL) : NULL;
    bool good = certificate && SSL_CTX_use_certificate(openssl, certificate) == 1;
    X509_free(certificate);
    while (good && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        good = SSL_CTX_add0_chain_cert(openssl, certificate) == 1;
        if (!good) X509_free(certificate);
    }
    BIO_free(bio);
    return good;
}

static bool use_key(SSL_CTX *openssl, const char *text)
{
    BIO *bio = open_pem(text);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, tls_give_password,
                                                  SSL_CTX_get_default_passwd_cb_userdata(openssl))
                        : NULL;
    bool good = key && SSL_CTX_use_PrivateKey(openssl, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good;
}

int tls_give_password(char *out, int size, int writing, void *argument)
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

/* Says what is wrong with a file, by the oldest entry of OpenSSL's error queue. */
static mqc_status file_failed(const char *setting, const char *source, mqc_error *error)
{
    unsigned long code = ERR_peek_error();
    if (ERR_SYSTEM_ERROR(code)) {
        mqc_error system;
        error_system(&system, ERR_GET_REASON(code), shown(source));
        return error_set(error, MQC_TLS, "TLS: %s %s", setting, system.text);
    }
    bool no_pem = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    return error_set(error, MQC_TLS, "TLS: %s %s: %s", setting, shown(source),
                     no_pem ? "there is nothing in PEM form in it that belongs there"
                            : tls_openssl_reason());
}

static mqc_status key_failed(const char *certificate, const char *key,
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
                         shown(key), shown(certificate));
    if (password->asked && !(password->text && password->text[0]))
        return error_set(error, MQC_TLS, "TLS: key_file %s: the key is encrypted: set key_password",
                         shown(key));
    if (password->asked)
        return error_set(error, MQC_TLS,
                         "TLS: key_file %s: the key cannot be decrypted: is key_password right? "
                         "(%s)",
                         shown(key), tls_openssl_reason());
    return file_failed("key_file", key, error);
}
