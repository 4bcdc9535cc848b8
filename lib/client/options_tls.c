/* Checks of the TLS settings, which make sense together only; called by options.c. */
#include "lib/base/error.h"
#include "lib/client/option_table.h"
#include "lib/client/options.h"

static const char *any_tls_setting(const mqc_client_options *options)
{
    const mqc_tls_options *tls = &options->tls;
    if (tls->ca_file) return "tlsCaFile (tls.ca_file)";
    if (tls->certificate_file) return "tlsCertificateFile (tls.certificate_file)";
    if (tls->key_file) return "tlsKeyFile (tls.key_file)";
    if (tls->key_password) return "tlsKeyPassword (tls.key_password)";
    if (tls->server_name) return "tlsServerName (tls.server_name)";
    if (options->tls_crl_file) return "tlsCrlFile (tls_crl_file)";
    if (tls->skip_verify) return "tlsSkipVerify (tls.skip_verify)";
    return NULL;
}

/* A TLS setting that has no effect is never a wish fulfilled: better said than left in plain text.
 */
mqc_status options_check_tls(const mqc_client_options *options, mqc_error *error)
{
    const mqc_tls_options *tls = &options->tls;
    const char *setting = any_tls_setting(options);
    if (!tls->enabled && setting)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%s is given, but TLS is not enabled: set useTLS (tls.enabled) too",
                         setting);
    if (tls->certificate_file && !tls->key_file)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "tlsCertificateFile (tls.certificate_file) is given without the key that "
                         "belongs to it: give tlsKeyFile (tls.key_file) too");
    if (tls->key_file && !tls->certificate_file)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "tlsKeyFile (tls.key_file) is given without its certificate: give "
                         "tlsCertificateFile (tls.certificate_file) too");
    if (tls->key_password && !tls->key_file)
        return error_set(
            error, MQC_BAD_ARGUMENT,
            "tlsKeyPassword (tls.key_password) is given without a key: give tlsKeyFile "
            "(tls.key_file) too");
    if (options->tls_crl_file && tls->skip_verify)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "tlsCrlFile (tls_crl_file) and tlsSkipVerify (tls.skip_verify) are both "
                         "given: nobody would look into the file");
    return MQC_OK;
}
