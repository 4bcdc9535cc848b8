/* Files of certificates that are replaced while a client lives. */
#include <mqclient/log.h>

#include "lib/base/memory.h"
#include "test/unit/net/certificates.c"
#include "test/unit/net/tls_ends.h"
#include "test/unit/unit.h"

static int warnings;

static void count_warnings(const mqc_log_line *line, void *argument)
{
    (void)argument;
    if (line->level == MQC_LOG_WARN && strstr(line->text, "still in use")) warnings++;
}

/* Puts what `from` holds in place of `to`, all at once as such files should be replaced. */
static void replace(const char *to, const char *from)
{
    char bytes[8192], fresh[PATH_BYTES + 8];
    snprintf(fresh, sizeof fresh, "%s.new", certificate_path(to));
    FILE *in = fopen(certificate_path(from), "r"), *out = fopen(fresh, "w");
    ck_assert(in && out);
    size_t size = fread(bytes, 1, sizeof bytes, in);
    ck_assert_uint_eq(fwrite(bytes, 1, size, out), size);
    ck_assert_int_eq(fclose(in) | fclose(out), 0);
    ck_assert_int_eq(rename(fresh, certificate_path(to)), 0);
}

static struct tls_context *begin(mqc_tls_options *options)
{
    mqc_log_to(count_warnings, NULL, MQC_LOG_WARN);
    replace("used-ca.pem", "ca.pem");
    replace("used.pem", "client.pem");
    replace("used.key", "client.key");
    options->enabled = true;
    options->ca_file = certificate_path("used-ca.pem");
    return new_client_context(options);
}

/* One more connection of the client. */
static void attempt(struct ends *ends, struct tls_context *client, const char *client_ca)
{
    mqc_error error;
    ends_plain(ends);
    ck_assert_msg(tls_session_new(client, ends->client_fd, "localhost", &ends->client, &error) ==
                      MQC_OK,
                  "%s", error.text);
    ends_add_server(ends, "server", client_ca, TLS1_2_VERSION);
    ends_handshake(ends);
}

static void works(struct tls_context *client, const char *client_ca)
{
    struct ends ends;
    attempt(&ends, client, client_ca);
    ends_greet(&ends);
    ends_close(&ends);
}

static void fails(struct tls_context *client, const char *client_ca)
{
    struct ends ends;
    attempt(&ends, client, client_ca);
    ck_assert_int_eq(ends.client_result, IO_FAILED);
    ends_close(&ends);
}

START_TEST(other_authorities_count_at_once)
{
    mqc_tls_options options = {.server_name = "localhost"};
    struct tls_context *client = begin(&options);
    works(client, NULL);
    SSL_CTX *first = client->openssl;
    works(client, NULL);
    ck_assert_ptr_eq(client->openssl, first); /* not read again for nothing */
    replace("used-ca.pem", "wrong-ca.pem");
    fails(client, NULL);
    replace("used-ca.pem", "ca.pem");
    works(client, NULL);
    ck_assert_int_eq(warnings, 0);
    tls_context_free(client);
}
END_TEST

START_TEST(other_certificates_count_at_once)
{
    mqc_tls_options options = {.certificate_file = certificate_path("used.pem"),
                               .key_file = certificate_path("used.key")};
    struct tls_context *client = begin(&options);
    works(client, "ca.pem");
    fails(client, "wrong-ca.pem");
    replace("used.pem", "wrong-client.pem");
    works(client, "ca.pem"); /* the key has not come yet: both as before */
    ck_assert_int_eq(warnings, 1);
    works(client, "ca.pem");
    ck_assert_int_eq(warnings, 1); /* said once */
    replace("used.key", "wrong-client.key");
    works(client, "wrong-ca.pem");
    fails(client, "ca.pem");
    ck_assert_int_eq(warnings, 1);
    tls_context_free(client);
}
END_TEST

START_TEST(files_may_be_away_for_a_while)
{
    mqc_tls_options options = {.key_file = NULL};
    struct tls_context *client = begin(&options);
    ck_assert_int_eq(unlink(certificate_path("used-ca.pem")), 0);
    works(client, NULL);
    ck_assert_int_eq(warnings, 1);
    replace("used-ca.pem", "wrong-ca.pem");
    fails(client, NULL);
    tls_context_free(client);
}
END_TEST

START_TEST(a_certificate_is_revoked)
{
    const mqc_tls_options options = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    struct tls_context *client;
    replace("used-crl.pem", "crl.pem");
    ck_assert_int_eq(tls_context_new(&options, certificate_path("used-crl.pem"), &client, NULL),
                     MQC_OK);
    works(client, NULL);
    replace("used-crl.pem", "crl-other.pem");
    fails(client, NULL);
    tls_context_free(client);
}
END_TEST

/* What is in use stays so when there is no memory for the new; nothing leaks. */
START_TEST(reading_again_needs_memory)
{
    mqc_tls_options options = {.server_name = "localhost"};
    long before = memory_live_blocks();
    struct tls_context *client = begin(&options);
    for (long nth = 1; nth < 8; nth++) {
        struct tls_session *session = NULL;
        int pair[2];
        loopback_pair(&pair[0], &pair[1]);
        replace("used-ca.pem", nth % 2 ? "wrong-ca.pem" : "ca.pem");
        memory_fail_from(nth);
        mqc_status status = tls_session_new(client, pair[0], "localhost", &session, NULL);
        memory_fail_from(0);
        ck_assert(status == MQC_OK || status == MQC_NO_MEMORY);
        tls_session_free(session);
        socket_close(pair[0]);
        socket_close(pair[1]);
    }
    replace("used-ca.pem", "ca.pem");
    works(client, NULL);
    tls_context_free(client);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

static Suite *suite(void)
{
    certificates_make();
    Suite *suite = suite_create("net/tls_reload");
    UNIT_CASE(suite, "reload", other_authorities_count_at_once, other_certificates_count_at_once,
              files_may_be_away_for_a_while, a_certificate_is_revoked, reading_again_needs_memory);
    return suite;
}
TEST_MAIN(suite)
