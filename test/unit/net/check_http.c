#include "lib/net/http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/unit/net/loopback.h"
#include "test/unit/unit.h"

/* A server that takes one connection, keeps what it was asked, and gives one answer. */
struct server {
    int listening;
    uint16_t port;
    struct slice answer;
    char asked[2048];
    pthread_t thread;
};

static void read_request(struct server *server, int fd)
{
    size_t size = 0, moved;
    server->asked[0] = '\0';
    while (!strstr(server->asked, "\r\n\r\n")) {
        socket_wait(fd, false, CLOCK_NEVER);
        enum io_result result =
            socket_read(fd, server->asked + size, sizeof server->asked - 1 - size, &moved);
        if (result != IO_DONE && result != IO_WANT_READ) return;
        size += moved;
        server->asked[size] = '\0';
    }
}

static void write_answer(int fd, struct slice answer)
{
    size_t done = 0, moved;
    while (done < answer.size) {
        enum io_result result = socket_write(fd, answer.data + done, answer.size - done, &moved);
        if (result != IO_DONE && result != IO_WANT_WRITE) return;
        done += moved;
        if (result == IO_WANT_WRITE) socket_wait(fd, true, CLOCK_NEVER);
    }
}

static void *serve(void *argument)
{
    struct server *server = argument;
    int fd = loopback_accept(server->listening);
    read_request(server, fd);
    write_answer(fd, server->answer);
    socket_close(fd);
    return NULL;
}

static void server_start(struct server *server, struct slice answer)
{
    memset(server, 0, sizeof *server);
    server->answer = answer;
    server->listening = loopback_listen(&server->port);
    ck_assert_int_eq(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
    pthread_join(server->thread, NULL);
    socket_close(server->listening);
}

static mqc_status get(uint16_t port, int timeout_ms, struct buffer *out, mqc_error *error)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/rocketmq/nsaddr", port);
    return http_get(url, timeout_ms, out, error);
}

enum { LONG_MS = 60000 };

START_TEST(the_body_of_a_200_is_appended)
{
    struct server server;
    struct buffer out;
    mqc_error error;
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* not for us */
    server_start(&server, slice_text("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n"
                                     "10.0.0.1:9876\n"));
    buffer_init(&out);
    buffer_put_text(&out, "before ");
    ck_assert_msg(get(server.port, LONG_MS, &out, &error) == MQC_OK, "%s", error.text);
    server_stop(&server);
    ck_assert_str_eq(buffer_text(&out), "before 10.0.0.1:9876\n");
    ck_assert_msg(strncmp(server.asked, "GET /rocketmq/nsaddr HTTP/1.1\r\n", 31) == 0, "%s",
                  server.asked);
    ck_assert_ptr_nonnull(strstr(server.asked, "User-Agent: libmqclient/" MQC_VERSION "\r\n"));
    buffer_done(&out);
}
END_TEST

static void check_failure(const char *answer, mqc_status expected, const char *text)
{
    struct server server;
    struct buffer out;
    mqc_error error = {.status = MQC_OK};
    server_start(&server, slice_text(answer));
    buffer_init(&out);
    buffer_put_text(&out, "before");
    ck_assert_int_eq(get(server.port, LONG_MS, &out, &error), expected);
    server_stop(&server);
    ck_assert_msg(strstr(error.text, text) != NULL, "%s", error.text);
    ck_assert_msg(strstr(error.text, "127.0.0.1:") != NULL, "%s", error.text);
    ck_assert_str_eq(buffer_text(&out), "before");
    buffer_done(&out);
}

START_TEST(any_other_code_is_an_error)
{
    check_failure("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", MQC_NO_CONNECTION,
                  "status 404");
    check_failure("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", MQC_NO_CONNECTION,
                  "status 503");
    check_failure("HTTP/1.1 204 No Content\r\n\r\n", MQC_NO_CONNECTION, "status 204");
}
END_TEST

START_TEST(broken_answers_are_errors)
{
    check_failure("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n10.0.0.1", MQC_NO_CONNECTION, "");
    check_failure("", MQC_NO_CONNECTION, "");
    check_failure("\x01\x02\x03 what is this\n", MQC_NO_CONNECTION, "");
}
END_TEST

START_TEST(redirects_lead_to_http_only)
{
    check_failure("HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\n"
                  "Content-Length: 0\r\n\r\n",
                  MQC_NO_CONNECTION, "Protocol \"file\"");
    check_failure("HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1:1/list\r\n"
                  "Content-Length: 0\r\n\r\n",
                  MQC_NO_CONNECTION, "Protocol \"ftp\"");
    struct server target, first;
    struct buffer out;
    char answer[128];
    mqc_error error;
    server_start(&target, slice_text("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na:1"));
    snprintf(
        answer, sizeof answer,
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/b\r\nContent-Length: 3\r\n\r\nno!",
        target.port);
    server_start(&first, slice_text(answer));
    buffer_init(&out);
    ck_assert_msg(get(first.port, LONG_MS, &out, &error) == MQC_OK, "%s", error.text);
    server_stop(&first);
    server_stop(&target);
    ck_assert_str_eq(buffer_text(&out), "a:1");
    buffer_done(&out);
}
END_TEST

static mqc_status get_bytes(size_t bytes, struct buffer *out, mqc_error *error)
{
    struct server server;
    static char answer[80 * 1024];
    int head = snprintf(answer, sizeof answer, "HTTP/1.0 200 OK\r\n\r\n");
    memset(answer + head, 'x', bytes);
    buffer_init(out);
    server_start(&server, slice_of(answer, (size_t)head + bytes));
    mqc_status status = get(server.port, LONG_MS, out, error);
    server_stop(&server);
    return status;
}

START_TEST(at_most_64_kib_are_taken)
{
    struct buffer out;
    mqc_error error;
    ck_assert_msg(get_bytes(64 * 1024, &out, &error) == MQC_OK, "%s", error.text);
    ck_assert_uint_eq(out.size, 64 * 1024);
    buffer_done(&out);
    ck_assert_int_eq(get_bytes(64 * 1024 + 1, &out, &error), MQC_TOO_BIG);
    ck_assert_uint_eq(out.size, 0);
    ck_assert_msg(strstr(error.text, "larger than 65536 bytes") != NULL, "%s", error.text);
    buffer_done(&out);
}
END_TEST

START_TEST(a_buffer_that_cannot_grow_is_no_memory)
{
    struct server server;
    struct buffer out;
    server_start(&server, slice_text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789"));
    buffer_init(&out);
    out.limit = 4;
    ck_assert_int_eq(get(server.port, LONG_MS, &out, NULL), MQC_NO_MEMORY);
    server_stop(&server);
    buffer_done(&out);
}
END_TEST

/* The kernel takes the connection, nobody answers. */
START_TEST(a_silent_server_is_a_timeout)
{
    uint16_t port;
    int listening = loopback_listen(&port);
    struct buffer out;
    mqc_error error;
    int64_t deadline_ms = clock_now_ms() + 50;
    buffer_init(&out);
    ck_assert_int_eq(get(port, 50, &out, &error), MQC_TIMEOUT);
    ck_assert_int_ge(clock_now_ms(), deadline_ms - 5); /* libcurl rounds in its own way */
    ck_assert(error.retryable);
    ck_assert_int_eq(get(port, 0, &out, &error), MQC_TIMEOUT); /* 0 is not "for ever" */
    buffer_done(&out);
    socket_close(listening);
}
END_TEST

START_TEST(nobody_there_is_no_connection)
{
    uint16_t port;
    struct buffer out;
    mqc_error error;
    socket_close(loopback_listen(&port));
    buffer_init(&out);
    ck_assert_int_eq(get(port, LONG_MS, &out, &error), MQC_NO_CONNECTION);
    ck_assert(error.retryable);
    ck_assert_msg(strstr(error.text, "127.0.0.1") != NULL, "%s", error.text);
    buffer_done(&out);
}
END_TEST

START_TEST(urls_that_are_not_http_are_refused)
{
    static const char *const urls[] = {"file:///etc/hostname", "ftp://127.0.0.1/x", "http://", "",
                                       "gopher://127.0.0.1:1/"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct buffer out;
        mqc_error error;
        buffer_init(&out);
        ck_assert_msg(http_get(urls[i], LONG_MS, &out, &error) == MQC_BAD_ARGUMENT, "%s", urls[i]);
        ck_assert_uint_eq(out.size, 0);
        buffer_done(&out);
    }
}
END_TEST

START_TEST(texts_hold_no_credentials)
{
    uint16_t port;
    struct buffer out;
    char url[128];
    mqc_error error;
    socket_close(loopback_listen(&port));
    buffer_init(&out);
    static const char *const users[] = {"user:secret", "user:sec@secret", "secret"};
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        snprintf(url, sizeof url, "http://%s@127.0.0.1:%u/list?at=a@b", users[i], port);
        ck_assert_int_ne(http_get(url, LONG_MS, &out, &error), MQC_OK);
        ck_assert_msg(strstr(error.text, "sec") == NULL, "%s", error.text);
        ck_assert_msg(strncmp(error.text, "127.0.0.1:", 10) == 0, "%s", error.text);
    }
    ck_assert_int_ne(http_get("http://127.0.0.1:x/a@b", LONG_MS, &out, &error), MQC_OK);
    ck_assert_msg(strncmp(error.text, "http://127.0.0.1:x/a@b: ", 24) == 0, "%s", error.text);
    buffer_done(&out);
}
END_TEST

static Suite *http_suite(void)
{
    Suite *suite = suite_create("net/http");
    UNIT_CASE(suite, "answers", the_body_of_a_200_is_appended, any_other_code_is_an_error,
              broken_answers_are_errors, redirects_lead_to_http_only, at_most_64_kib_are_taken,
              a_buffer_that_cannot_grow_is_no_memory);
    UNIT_CASE(suite, "none", a_silent_server_is_a_timeout, nobody_there_is_no_connection,
              urls_that_are_not_http_are_refused, texts_hold_no_credentials);
    return suite;
}
TEST_MAIN(http_suite)
