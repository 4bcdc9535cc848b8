/* Certificates for tests: see certificates.h. Linked into test programs only. */
#include "test/unit/net/certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATHS_MAX = 64, PATH_BYTES = 300 };

struct identity {
    X509 *certificate;
    EVP_PKEY *key;
};

struct wish {
    const char *name;         /* of the files and the subject */
    struct identity *issuer;  /* NULL: self-signed */
    const char *alternatives; /* subjectAltName, or NULL */
    const char *usage;        /* extendedKeyUsage, or NULL for an authority */
    enum { NOW, PAST, LATER } valid;
};

static char folder[256];
static pid_t owner;
static char paths[PATHS_MAX][PATH_BYTES];
static int path_count;
static long serial = 1;

static void must(bool fine, const char *what)
{
    if (fine) return;
    fprintf(stderr, "making certificates: %s failed\n", what);
    exit(EXIT_FAILURE);
}

const char *certificate_path(const char *name)
{
    char path[PATH_BYTES];
    certificates_make();
    must(snprintf(path, sizeof path, "%s/%s", folder, name) < PATH_BYTES, "a path");
    for (int i = 0; i < path_count; i++)
        if (strcmp(paths[i], path) == 0) return paths[i];
    must(path_count < PATHS_MAX, "remembering a path");
    strcpy(paths[path_count], path);
    return paths[path_count++];
}

static FILE *create(const char *name, const char *ending)
{
    char file_name[64];
    snprintf(file_name, sizeof file_name, "%s%s", name, ending);
    FILE *file = fopen(certificate_path(file_name), "w");
    must(file != NULL, file_name);
    return file;
}

static void extend(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    must(extension && X509_add_ext(certificate, extension, -1), value);
    X509_EXTENSION_free(extension);
}

static struct identity make(const struct wish *wish)
{
    struct identity made = {X509_new(), EVP_EC_gen("P-256")};
    must(made.certificate && made.key, "a key");
    const struct identity *issuer = wish->issuer ? wish->issuer : &made;
    X509_NAME *name = X509_get_subject_name(made.certificate);
    long day = 24 * 3600;
    X509_set_version(made.certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), wish->valid == LATER ? day : -2 * day);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), wish->valid == PAST ? -day : 30 * day);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)wish->name, -1, -1,
                               0);
    X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer->certificate));
    X509_set_pubkey(made.certificate, made.key);
    if (!wish->usage) {
        extend(made.certificate, issuer->certificate, NID_basic_constraints, "critical,CA:TRUE");
        extend(made.certificate, issuer->certificate, NID_key_usage,
               "critical,keyCertSign,cRLSign");
    } else {
        extend(made.certificate, issuer->certificate, NID_ext_key_usage, wish->usage);
    }
    if (wish->alternatives)
        extend(made.certificate, issuer->certificate, NID_subject_alt_name, wish->alternatives);
    must(X509_sign(made.certificate, issuer->key, EVP_sha256()) > 0, "signing");

    FILE *file = create(wish->name, ".pem");
    must(PEM_write_X509(file, made.certificate), "writing a certificate");
    if (wish->issuer && X509_check_ca(wish->issuer->certificate) &&
        strcmp(wish->name, "chain") == 0)
        must(PEM_write_X509(file, wish->issuer->certificate), "writing a chain");
    fclose(file);
    file = create(wish->name, ".key");
    must(PEM_write_PKCS8PrivateKey(file, made.key, NULL, NULL, 0, NULL, NULL), "writing a key");
    fclose(file);
    return made;
}

/* A list of `issuer` that has one certificate, made some days ago and good for a week. */
static void write_revocations(const char *name, const struct identity *issuer, X509 *revoked,
                              int days_ago)
{
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *time = X509_gmtime_adj(NULL, -(long)days_ago * 24 * 3600);
    must(list && entry && time, "a list");
    X509_CRL_set_version(list, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer->certificate));
    X509_CRL_set1_lastUpdate(list, time);
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked));
    X509_REVOKED_set_revocationDate(entry, time);
    X509_CRL_add0_revoked(list, entry);
    X509_gmtime_adj(time, (7 - (long)days_ago) * 24 * 3600);
    X509_CRL_set1_nextUpdate(list, time);
    must(X509_CRL_sign(list, issuer->key, EVP_sha256()) > 0, "signing a list");
    FILE *file = create(name, ".pem");
    must(PEM_write_X509_CRL(file, list), "writing a list");
    fclose(file);
    ASN1_TIME_free(time);
    X509_CRL_free(list);
}

static void drop(struct identity identity)
{
    X509_free(identity.certificate);
    EVP_PKEY_free(identity.key);
}

static void write_encrypted(EVP_PKEY *key)
{
    unsigned char *password = (unsigned char *)CERTIFICATES_PASSWORD;
    int size = (int)strlen(CERTIFICATES_PASSWORD);
    FILE *file = create("client-encrypted", ".key");
    must(PEM_write_PKCS8PrivateKey(file, key, EVP_aes_256_cbc(), CERTIFICATES_PASSWORD, size, NULL,
                                   NULL),
         "writing an encrypted key");
    fclose(file);
    file = create("client-traditional", ".key");
    BIO *bio = BIO_new_fp(file, BIO_CLOSE);
    must(bio && PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_256_cbc(), password, size,
                                                     NULL, NULL),
         "writing an old encrypted key");
    BIO_free(bio);
}

static void write_odd_files(void)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    FILE *file = create("rsa", ".key");
    must(rsa && PEM_write_PrivateKey(file, rsa, NULL, NULL, 0, NULL, NULL), "an RSA key");
    fclose(file);
    EVP_PKEY_free(rsa);
    fclose(create("empty", ".pem"));
    file = create("garbage", ".pem");
    fputs("this is not what you are looking for\n", file);
    fclose(file);
}

static void remove_all(void)
{
    if (getpid() != owner) return; /* a forked test ends */
    for (int i = 0; i < path_count; i++) unlink(paths[i]);
    rmdir(folder);
}

void certificates_make(void)
{
    if (folder[0] != '\0') return;
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/mqc-certificates-XXXXXX", temporary ? temporary : "/tmp");
    must(mkdtemp(folder) != NULL, "a folder");
    owner = getpid();
    atexit(remove_all);
    const char *here = "DNS:localhost,IP:127.0.0.1,IP:::1", *server = "serverAuth",
               *client = "clientAuth";
    struct identity ca = make(&(struct wish){.name = "ca"});
    struct identity wrong_ca = make(&(struct wish){.name = "wrong-ca"});
    struct identity intermediate = make(&(struct wish){.name = "intermediate", .issuer = &ca});
    struct identity for_client = make(&(struct wish){"client", &ca, NULL, client, NOW});
    drop(make(&(struct wish){"server", &ca, here, server, NOW}));
    drop(make(&(struct wish){"expired", &ca, here, server, PAST}));
    drop(make(&(struct wish){"other-name", &ca, "DNS:other.example,IP:127.0.0.9", server, NOW}));
    drop(make(&(struct wish){"wildcard", &ca, "DNS:*.example.test", server, NOW}));
    drop(make(&(struct wish){"chain", &intermediate, here, server, NOW}));
    drop(make(&(struct wish){"wrong-client", &wrong_ca, NULL, client, NOW}));
    drop(make(&(struct wish){"self-signed", NULL, here, server, NOW}));
    drop(make(&(struct wish){"later", &ca, here, server, LATER}));
    struct identity revoked = make(&(struct wish){"revoked", &ca, here, server, NOW});
    write_revocations("crl", &ca, revoked.certificate, 0);
    write_revocations("crl-old", &ca, revoked.certificate, 9);
    write_revocations("crl-other", &wrong_ca, revoked.certificate, 0);
    drop(revoked);
    write_encrypted(for_client.key);
    write_odd_files();
    drop(for_client);
    drop(intermediate);
    drop(wrong_ca);
    drop(ca);
}
