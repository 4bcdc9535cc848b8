/* The file that tells Java's clients of TLS, read as options. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mqclient/options.h>

#include "test/unit/unit.h"

static mqc_options *options;
static mqc_error error;

static mqc_status read_text(const char *text)
{
    char path[] = "/tmp/mqc-tls-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    options = mqc_options_new();
    ck_assert_ptr_nonnull(options);
    mqc_status status = mqc_options_read_file(options, path, &error);
    unlink(path);
    return status;
}

static mqc_client_options read_well(const char *text)
{
    mqc_client_options client = {.name_servers = NULL};
    ck_assert_msg(read_text(text) == MQC_OK, "%s", error.text);
    mqc_options_to_client(options, &client);
    return client;
}

/* As test/broker/certificates.sh writes it for the Java client. */
START_TEST(paths_are_taken)
{
    mqc_client_options client = read_well("tls.test.mode.enable=false\n"
                                          "tls.server.need.client.auth=require\n"
                                          "tls.server.keyPath=/broker.key\n"
                                          "tls.client.authServer=true\n"
                                          "tls.client.keyPath=/client.key\n"
                                          "tls.client.keyPassword=\n"
                                          "tls.client.certPath=/client.pem\n"
                                          "tls.client.trustCertPath=/ca.pem\n");
    ck_assert_str_eq(client.tls.ca_file, "/ca.pem");
    ck_assert_str_eq(client.tls.certificate_file, "/client.pem");
    ck_assert_str_eq(client.tls.key_file, "/client.key");
    ck_assert_ptr_null(client.tls.key_password);
    ck_assert(!client.tls.skip_verify);
    ck_assert(!client.tls.enabled); /* not the file's in Java either */
    mqc_options_free(options);
    client = read_well("tls.enable=true\ntls.client.keyPassword=secret\n");
    ck_assert(client.tls.enabled);
    ck_assert_str_eq(client.tls.key_password, "secret");
    mqc_options_free(options);
}
END_TEST

START_TEST(trust_is_given_up_only_in_so_many_words)
{
    static const struct {
        const char *text;
        bool skip;
    } files[] = {
        {"tls.client.trustCertPath=/ca.pem\n", false},
        {"tls.client.authServer=true\n", false},
        {"tls.client.authServer=false\n", true},
        {"tls.test.mode.enable=false\n", false},
        {"tls.test.mode.enable=true\n", true},
        {"tls.test.mode.enable=true\ntls.client.authServer=true\n", true},
        {"tls.client.authServer=false\ntls.test.mode.enable=false\n", true},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        ck_assert_msg(read_well(files[i].text).tls.skip_verify == files[i].skip, "%s",
                      files[i].text);
        mqc_options_free(options);
    }
}
END_TEST

START_TEST(unknown_names_are_errors)
{
    static const char *const bad[] = {"tls.client.keypath=/x\n", "tls.mode=on\n",
                                      "tls.client.authServer=perhaps\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(read_text(bad[i]), MQC_BAD_ARGUMENT);
        ck_assert_msg(strstr(error.text, ":1: ") != NULL, "%s", error.text);
        mqc_options_free(options);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("options_java_tls");
    UNIT_CASE(suite, "file", paths_are_taken, trust_is_given_up_only_in_so_many_words,
              unknown_names_are_errors);
    return suite;
}
TEST_MAIN(suite)
