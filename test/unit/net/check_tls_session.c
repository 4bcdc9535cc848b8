/* Bytes through TLS: transfers, ends, peers that do not speak TLS. */
#include <signal.h>
#include <stdlib.h>

#include "test/unit/net/certificates.c"
#include "test/unit/net/tls_ends.h"
#include "test/unit/unit.h"

static void connect_ends(struct ends *ends, int version)
{
    mqc_tls_options options = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    ends_plain(ends);
    ends_add_client(ends, &options, "localhost");
    ends_add_server(ends, "server", NULL, version);
    ends_handshake(ends);
    ends_greet(ends);
}

static void connect_to_plain(struct ends *ends)
{
    mqc_tls_options options = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    ends_plain(ends);
    ends_add_client(ends, &options, "localhost");
    ck_assert_int_eq(tls_session_handshake(ends->client, &ends->client_error), IO_WANT_READ);
}

START_TEST(a_plain_server_is_recognized)
{
    static const char *const words[] = {"HTTP/1.1 400 Bad Request\r\n\r\n",
                                        "220 mail.example ESMTP ready\r\n",
                                        "\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct ends ends;
        connect_to_plain(&ends);
        loopback_say(ends.server_fd, words[i]);
        ends_client_handshake(&ends);
        ck_assert_int_eq(ends.client_result, IO_FAILED);
        check_text(&ends.client_error, "the peer did not speak TLS: is it a plain-text port?");
        ends_close(&ends);
    }
    struct ends ends; /* a RocketMQ answer, whose first bytes are its length */
    struct slice frame = hex_bytes("00000120 0000011c 7b22636f6465223a302c");
    size_t moved;
    connect_to_plain(&ends);
    ck_assert_int_eq(socket_write(ends.server_fd, frame.data, frame.size, &moved), IO_DONE);
    ends_client_handshake(&ends);
    ck_assert_int_eq(ends.client_result, IO_FAILED);
    check_text(&ends.client_error, "the peer did not speak TLS: is it a plain-text port?");
    ends_close(&ends);
}
END_TEST

START_TEST(a_server_that_hangs_up_is_told)
{
    static const char text[] = "closed the connection during the TLS handshake: does it ask for a "
                               "client certificate";
    for (int reset = 0; reset < 2; reset++) {
        struct ends ends;
        struct linger at_once = {1, 0};
        char hello[4096];
        size_t moved;
        connect_to_plain(&ends);
        ck_assert(socket_wait(ends.server_fd, false, CLOCK_NEVER));
        ck_assert_int_eq(socket_read(ends.server_fd, hello, sizeof hello, &moved), IO_DONE);
        ck_assert_int_eq(hello[0], 0x16); /* the byte by which RocketMQ knows TLS */
        if (reset) setsockopt(ends.server_fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        socket_close(ends.server_fd);
        ends.server_fd = -1;
        ends_client_handshake(&ends);
        ck_assert_int_eq(ends.client_result, IO_FAILED);
        check_text(&ends.client_error, text);
        ck_assert(ends.client_error.retryable);
        ends_close(&ends);
    }
}
END_TEST

START_TEST(a_plain_client_is_recognized)
{
    struct slice frame = hex_bytes("00000120 0000011c 7b22636f6465223a302c");
    for (int http = 0; http < 2; http++) {
        struct ends ends;
        size_t moved;
        ends_plain(&ends);
        ends_add_server(&ends, "server", NULL, TLS1_3_VERSION);
        if (http)
            loopback_say(ends.client_fd, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        else
            ck_assert_int_eq(socket_write(ends.client_fd, frame.data, frame.size, &moved), IO_DONE);
        ck_assert(socket_wait(ends.server_fd, false, CLOCK_NEVER));
        ck_assert_int_eq(tls_session_handshake(ends.server, &ends.server_error), IO_FAILED);
        check_text(&ends.server_error, "the peer did not speak TLS");
        check_text(&ends.server_error, "127.0.0.1:");
        ends_close(&ends);
    }
}
END_TEST

START_TEST(old_versions_are_refused)
{
    struct ends ends;
    mqc_tls_options options = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    ends_plain(&ends);
    ends_add_client(&ends, &options, "localhost");
    ends_add_server(&ends, "server", NULL, TLS1_3_VERSION);
    ck_assert(SSL_set_min_proto_version(ends.server->openssl, TLS1_VERSION));
    ck_assert(SSL_set_max_proto_version(ends.server->openssl, TLS1_1_VERSION));
    ck_assert(SSL_set_cipher_list(ends.server->openssl, "ALL:@SECLEVEL=0"));
    ends_handshake(&ends);
    ck_assert_int_eq(ends.client_result, IO_FAILED);
    check_text(&ends.client_error, "the peer has no TLS 1.2 or newer");
    ends_close(&ends);
}
END_TEST

enum { BIG = 8 << 20, OUTPUT = 200000 };

static char pattern(size_t at)
{
    return (char)(at * 2654435761u >> 24);
}

/* Writes from a fresh place in memory each time, as a growing output buffer does. */
static void write_some(struct tls_session *from, size_t *sent)
{
    size_t size = BIG - *sent < OUTPUT ? BIG - *sent : OUTPUT, moved;
    char *output = malloc(size);
    mqc_error error;
    for (size_t i = 0; i < size; i++) output[i] = pattern(*sent + i);
    enum io_result result = tls_session_write(from, output, size, &moved, &error);
    memset(output, 0, size);
    free(output);
    ck_assert_msg(result == IO_DONE || result == IO_WANT_WRITE, "%s", error.text);
    ck_assert(result == IO_DONE || moved == 0);
    *sent += moved;
}

/* Until less than was asked for came: only then is it right to wait for the socket. */
static void read_all(struct tls_session *to, size_t *got)
{
    static char input[30000], expected[30000];
    size_t moved;
    mqc_error error;
    do {
        enum io_result result = tls_session_read(to, input, sizeof input, &moved, &error);
        ck_assert_msg(result == IO_DONE || result == IO_WANT_READ, "%s", error.text);
        ck_assert(result == IO_DONE ? moved > 0 : moved == 0);
        for (size_t i = 0; i < moved; i++) expected[i] = pattern(*got + i);
        ck_assert(memcmp(input, expected, moved) == 0);
        *got += moved;
    } while (moved == sizeof input);
}

static void transfer(struct tls_session *from, struct tls_session *to)
{
    size_t sent = 0, got = 0;
    int partial = 0;
    while (got < BIG) {
        size_t before = sent;
        if (sent < BIG) {
            write_some(from, &sent);
            partial += sent - before < OUTPUT && sent < BIG;
        }
        if (sent == before) ck_assert(socket_wait(to->fd, false, CLOCK_NEVER));
        read_all(to, &got);
    }
    ck_assert_uint_eq(got, sent);
    ck_assert_int_gt(partial, 10); /* else this tested nothing */
}

START_TEST(big_transfers_survive_partial_writes)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct ends ends;
        int small = 20000;
        connect_ends(&ends, version);
        setsockopt(ends.client_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        setsockopt(ends.server_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        transfer(ends.client, ends.server);
        transfer(ends.server, ends.client);
        ends_close(&ends);
    }
}
END_TEST

/* The contract of reading: less than was asked for means that the session is empty. */
START_TEST(nothing_is_left_inside_the_session)
{
    struct ends ends;
    static char block[40000], input[100000];
    size_t moved, got = 0;
    mqc_error error;
    connect_ends(&ends, TLS1_3_VERSION);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tls_session_write(ends.client, block, sizeof block, &moved, NULL),
                         IO_DONE);
        ck_assert_uint_eq(moved, sizeof block);
    }
    while (got < 2 * sizeof block) {
        ck_assert(socket_wait(ends.server_fd, false, CLOCK_NEVER)); /* hangs if that is broken */
        enum io_result result = tls_session_read(ends.server, input, sizeof input, &moved, &error);
        ck_assert(result == IO_DONE || result == IO_WANT_READ);
        got += moved;
    }
    ck_assert_int_eq(tls_session_write(ends.client, "ab", 2, &moved, NULL), IO_DONE);
    ck_assert_int_eq(ends_read(ends.server, input, 1, &moved, &error), IO_DONE);
    ck_assert_int_eq(tls_session_read(ends.server, input, 1, &moved, &error), IO_DONE);
    ck_assert_int_eq(input[0], 'b');
    ck_assert_int_eq(tls_session_read(ends.server, input, 1, &moved, &error), IO_WANT_READ);
    ck_assert_uint_eq(moved, 0);
    ends_close(&ends);
}
END_TEST

START_TEST(moving_nothing_is_done_at_once)
{
    struct ends ends;
    size_t moved = 5;
    connect_ends(&ends, TLS1_3_VERSION);
    ck_assert_int_eq(tls_session_read(ends.client, NULL, 0, &moved, NULL), IO_DONE);
    ck_assert_uint_eq(moved, 0);
    ck_assert_int_eq(tls_session_write(ends.client, NULL, 0, &moved, NULL), IO_DONE);
    ends_say(ends.server, ends.client, "still alive");
    ends_close(&ends);
}
END_TEST

static void hang_up(struct ends *ends, bool goodbye)
{
    if (goodbye) tls_session_say_goodbye(ends->server);
    tls_session_free(ends->server);
    ends->server = NULL;
    socket_close(ends->server_fd);
    ends->server_fd = -1;
}

START_TEST(the_end_comes_after_the_last_byte)
{
    for (int goodbye = 0; goodbye < 2; goodbye++) {
        struct ends ends;
        char bytes[64];
        size_t moved, got = 0;
        mqc_error error;
        connect_ends(&ends, TLS1_3_VERSION);
        ck_assert_int_eq(tls_session_write(ends.server, "the last", 8, &moved, NULL), IO_DONE);
        hang_up(&ends, goodbye);
        while (got < 8) {
            ck_assert_int_eq(
                ends_read(ends.client, bytes + got, sizeof bytes - got, &moved, &error), IO_DONE);
            got += moved;
        }
        ck_assert_mem_eq(bytes, "the last", 8);
        for (int i = 0; i < 2; i++) {
            ck_assert_int_eq(ends_read(ends.client, bytes, sizeof bytes, &moved, &error),
                             IO_CLOSED);
            ck_assert_uint_eq(moved, 0);
        }
        ck_assert_int_eq(tls_session_write(ends.client, "x", 1, &moved, &error), IO_CLOSED);
        tls_session_say_goodbye(ends.client);
        ends_close(&ends);
    }
}
END_TEST

/* SIGPIPE has its default action here and would end the process. */
START_TEST(writing_to_a_closed_peer_raises_no_signal)
{
    struct ends ends;
    size_t moved;
    mqc_error error;
    connect_ends(&ends, TLS1_3_VERSION);
    ck_assert_int_eq(tls_session_write(ends.client, "unread", 6, &moved, &error), IO_DONE);
    hang_up(&ends, false);
    enum io_result result;
    while ((result = tls_session_write(ends.client, "x", 1, &moved, &error)) == IO_DONE)
        ;
    ck_assert_int_eq(result, IO_CLOSED);
    tls_session_say_goodbye(ends.client);
    ends_close(&ends);
}
END_TEST

START_TEST(a_stream_cut_within_a_record_is_closed)
{
    struct ends ends;
    static char block[10000], input[20000];
    size_t moved;
    mqc_error error;
    connect_ends(&ends, TLS1_3_VERSION);
    /* The start of a record of 0x2000 bytes, and no more. */
    loopback_say(ends.server_fd, "\x17\x03\x03\x20\x01half of a record");
    hang_up(&ends, false);
    ck_assert_int_eq(ends_read(ends.client, input, sizeof input, &moved, &error), IO_CLOSED);
    ck_assert_uint_eq(moved, 0);
    ck_assert_int_eq(tls_session_write(ends.client, block, sizeof block, &moved, &error),
                     IO_CLOSED);
    ends_close(&ends);
}
END_TEST

START_TEST(garbage_in_mid_stream_is_a_failure)
{
    char record[400], text[400];
    memset(record, 'x', sizeof record);
    memset(text, 'x', sizeof text);
    memcpy(record, "\x17\x03\x03\x01\x01", 5); /* of 257 bytes, which nobody has encrypted */
    record[sizeof record - 1] = text[sizeof text - 1] = '\0';
    const char *const garbage[] = {text, record};
    for (size_t i = 0; i < 2; i++) {
        struct ends ends;
        char input[64];
        size_t moved;
        mqc_error error;
        connect_ends(&ends, TLS1_3_VERSION);
        loopback_say(ends.server_fd, garbage[i]);
        ck_assert_int_eq(ends_read(ends.client, input, sizeof input, &moved, &error), IO_FAILED);
        ck_assert_uint_eq(moved, 0);
        check_text(&error, "localhost:");
        check_text(&error, "TLS failed: ");
        ends_close(&ends);
    }
}
END_TEST

START_TEST(errors_of_others_do_not_leak_in)
{
    struct ends ends;
    char byte;
    size_t moved;
    mqc_tls_options options = {.enabled = true, .ca_file = certificate_path("ca.pem")};
    ERR_raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
    ends_plain(&ends);
    ends_add_client(&ends, &options, "localhost");
    ends_add_server(&ends, "server", NULL, TLS1_3_VERSION);
    ERR_raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
    ck_assert_int_eq(tls_session_handshake(ends.client, NULL), IO_WANT_READ);
    ends_handshake(&ends);
    ends_greet(&ends);
    ERR_raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
    ck_assert_int_eq(tls_session_read(ends.client, &byte, 1, &moved, NULL), IO_WANT_READ);
    ERR_raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
    ends_say(ends.client, ends.server, "fine");
    ends_close(&ends);
}
END_TEST

/* TLS 1.2's server may ask for another handshake, which costs it little and its client much. */
START_TEST(handshakes_are_not_begun_anew)
{
    struct ends ends;
    char byte;
    size_t moved;
    mqc_error error;
    connect_ends(&ends, TLS1_2_VERSION);
    SSL_clear_options(ends.server->openssl, SSL_OP_NO_RENEGOTIATION);
    ck_assert_int_eq(SSL_renegotiate(ends.server->openssl), 1);
    SSL_do_handshake(ends.server->openssl); /* says that it would like to */
    ERR_clear_error();
    ck_assert_int_ne(tls_session_read(ends.client, &byte, 1, &moved, &error), IO_DONE);
    ck_assert_uint_eq(moved, 0);
    ck_assert_int_eq(SSL_num_renegotiations(ends.client->openssl), 0);
    ends_close(&ends);
}
END_TEST

static Suite *tls_session_suite(void)
{
    certificates_make();
    Suite *suite = suite_create("net/tls_session");
    UNIT_CASE(suite, "other peers", a_plain_server_is_recognized, a_server_that_hangs_up_is_told,
              a_plain_client_is_recognized, old_versions_are_refused,
              handshakes_are_not_begun_anew);
    UNIT_CASE(suite, "transfer", big_transfers_survive_partial_writes,
              nothing_is_left_inside_the_session, moving_nothing_is_done_at_once,
              errors_of_others_do_not_leak_in);
    UNIT_CASE(suite, "ends", the_end_comes_after_the_last_byte,
              writing_to_a_closed_peer_raises_no_signal, a_stream_cut_within_a_record_is_closed,
              garbage_in_mid_stream_is_a_failure);
    return suite;
}
TEST_MAIN(tls_session_suite)
