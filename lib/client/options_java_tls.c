/* Java's tls.properties: its names as options of ours. Pure; called by option_bag.c for the lines
 * of a file whose names begin with "tls.". */
#include "lib/base/error.h"
#include "lib/base/slice.h"
#include "lib/client/option_table.h"

/* TlsSystemConfig.java, TlsHelper.java. */
static const struct {
    const char *java, *ours;
} NAMES[] = {
    {"tls.enable", "useTLS"},
    {"tls.client.trustCertPath", "tlsCaFile"},
    {"tls.client.certPath", "tlsCertificateFile"},
    {"tls.client.keyPath", "tlsKeyFile"},
    {"tls.client.keyPassword", "tlsKeyPassword"},
};

/* Java trusts anybody when one of two switches says so, and both do if they are left out; here the
 * file must say it. */
static mqc_status set_trust(mqc_options *options, const char *value, bool anybody_if,
                            mqc_error *error)
{
    const struct option *skip = option_find("tlsSkipVerify");
    int64_t yes;
    mqc_status status = option_parse(skip, value, &yes, error);
    if (status != MQC_OK || (yes != 0) != anybody_if) return status;
    return mqc_options_set(options, "tlsSkipVerify", "true", error);
}

mqc_status options_set_java_tls(mqc_options *options, const char *name, const char *value,
                                mqc_error *error)
{
    /* What is empty is not set, as in Java; the servers' own settings may be in the same file. */
    if (!value[0] || strncmp(name, "tls.server.", strlen("tls.server.")) == 0) return MQC_OK;
    if (strcmp(name, "tls.client.authServer") == 0) return set_trust(options, value, false, error);
    if (strcmp(name, "tls.test.mode.enable") == 0) return set_trust(options, value, true, error);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(name, NAMES[i].java) == 0)
            return mqc_options_set(options, NAMES[i].ours, value, error);
    return error_set(error, MQC_BAD_ARGUMENT,
                     "there is no option \"%s\": of Java's TLS settings tls.enable, "
                     "tls.test.mode.enable and tls.client.* mean something to a client",
                     name);
}
