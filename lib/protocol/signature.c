/* ACL signatures. Pure; any thread. Called by remoting_command.c for every signed request and by
 * the embedded broker, which checks them. */
#include "lib/protocol/signature.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/protocol/java_text.h"

enum { SHA1_BYTES = 20 };

static int compare_names(const void *a, const void *b)
{
    const struct command_field *left = a, *right = b;
    return java_compare(left->name, right->name);
}

static bool update(EVP_MAC_CTX *context, struct slice bytes)
{
    return bytes.size == 0 ||
           EVP_MAC_update(context, (const unsigned char *)bytes.data, bytes.size) == 1;
}

/* HMAC-SHA1 of the fields' values, then the body. */
static bool digest(EVP_MAC_CTX *context, const struct command_field *fields, size_t count,
                   struct slice body, struct slice secret_key, unsigned char out[SHA1_BYTES])
{
    char name[] = "SHA1";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    /* No key at all would mean "the key of before". */
    const char *key = secret_key.size > 0 ? secret_key.data : "";
    size_t size = 0;
    if (EVP_MAC_init(context, (const unsigned char *)key, secret_key.size, parameters) != 1)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!update(context, fields[i].value)) return false;
    return update(context, body) && EVP_MAC_final(context, out, &size, SHA1_BYTES) == 1 &&
           size == SHA1_BYTES;
}

mqc_status signature_make(struct command_field *fields, size_t count, struct slice body,
                          struct slice secret_key, char out[SIGNATURE_TEXT_BYTES], mqc_error *error)
{
    unsigned char bytes[SHA1_BYTES];
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    if (count > 1) qsort(fields, count, sizeof *fields, compare_names);
    bool good = context && digest(context, fields, count, body, secret_key, bytes);
    if (good) EVP_EncodeBlock((unsigned char *)out, bytes, SHA1_BYTES);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    if (good) return MQC_OK;
    return error_set(error, MQC_SYSTEM, "OpenSSL cannot compute HMAC-SHA1, which signatures need");
}
