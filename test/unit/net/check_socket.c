#include "lib/net/socket.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/unit/net/loopback.h"
#include "test/unit/unit.h"

static void check_flags(int fd)
{
    int on = 0;
    socklen_t size = sizeof on;
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    ck_assert_int_ne(on, 0);
}

START_TEST(sockets_are_non_blocking_and_not_inherited)
{
    int client, server;
    loopback_pair(&client, &server);
    check_flags(client);
    check_flags(server);
    uint16_t port;
    int listening = loopback_listen(&port), none = 5;
    ck_assert(fcntl(listening, F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(socket_accept(listening, &none), IO_WANT_READ);
    ck_assert_int_eq(none, -1);
    socket_close(listening);
    socket_close(client);
    socket_close(server);
}
END_TEST

START_TEST(both_ends_are_named)
{
    uint16_t port;
    int listening = loopback_listen(&port), client = loopback_connect(port);
    int server = loopback_accept(listening);
    char text[ADDRESS_TEXT_BYTES], local[ADDRESS_TEXT_BYTES], peer[ADDRESS_TEXT_BYTES];
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    socket_peer_host(client, peer);
    ck_assert_str_eq(peer, text);
    socket_local_host(server, local);
    ck_assert_str_eq(local, text);
    socket_local_host(client, local);
    socket_peer_host(server, peer);
    ck_assert_str_eq(local, peer);
    ck_assert_str_ne(local, text);
    socket_peer_host(listening, peer);
    ck_assert_str_eq(peer, "");
    socket_close(client);
    socket_close(server);
    socket_close(listening);
}
END_TEST

START_TEST(refusal_names_the_peer)
{
    uint16_t port;
    socket_close(loopback_listen(&port));
    struct socket_address to = loopback_address(port);
    char peer[ADDRESS_TEXT_BYTES], text[ADDRESS_TEXT_BYTES + 32];
    snprintf(peer, sizeof peer, "127.0.0.1:%u", port);
    snprintf(text, sizeof text, "%s: connection refused", peer);
    int fd;
    mqc_error error;
    mqc_status status = socket_connect(&to, &fd, &error);
    if (status == MQC_OK) { /* else refused at once, which is just as well */
        ck_assert(socket_wait(fd, true, CLOCK_NEVER));
        status = socket_connect_result(fd, peer, &error);
        socket_close(fd);
    }
    ck_assert_int_eq(status, MQC_NO_CONNECTION);
    ck_assert_str_eq(error.text, text);
    ck_assert(error.retryable);
}
END_TEST

START_TEST(an_address_no_packet_can_go_to_fails_at_once)
{
    struct address broadcast = {"255.255.255.255", 9};
    struct socket_address to;
    size_t count;
    int fd = 5;
    mqc_error error;
    ck_assert_int_eq(address_resolve(&broadcast, &to, 1, &count, NULL), MQC_OK);
    ck_assert_int_eq(socket_connect(&to, &fd, &error), MQC_NO_CONNECTION);
    ck_assert_int_eq(fd, -1);
    ck_assert_msg(strncmp(error.text, "255.255.255.255:9: ", 19) == 0, "%s", error.text);
}
END_TEST

START_TEST(a_socket_connected_to_itself_counts_as_refused)
{
    struct socket_address any = loopback_address(0), own = {.size = sizeof own.storage};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&any.storage, any.size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own.storage, &own.size), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&own.storage, own.size), 0);
    mqc_error error;
    ck_assert_int_eq(socket_connect_result(fd, "broker", &error), MQC_NO_CONNECTION);
    ck_assert_str_eq(error.text, "broker: connection refused");
    socket_close(fd);
}
END_TEST

START_TEST(a_port_in_use_is_named)
{
    uint16_t port, other;
    int listening = loopback_listen(&port), second = 5;
    struct socket_address same = loopback_address(port);
    char text[ADDRESS_TEXT_BYTES];
    mqc_error error;
    ck_assert_int_eq(socket_listen(&same, &second, &other, &error), MQC_SYSTEM);
    ck_assert_int_eq(second, -1);
    snprintf(text, sizeof text, "listen on 127.0.0.1:%u: ", port);
    ck_assert_msg(strncmp(error.text, text, strlen(text)) == 0, "%s", error.text);
    socket_close(listening);
}
END_TEST

START_TEST(bytes_arrive_and_the_end_is_told)
{
    int client, server;
    char bytes[16];
    size_t moved = 99;
    loopback_pair(&client, &server);
    ck_assert_int_eq(socket_read(server, bytes, sizeof bytes, &moved), IO_WANT_READ);
    ck_assert_uint_eq(moved, 0);
    loopback_say(client, "hello");
    ck_assert(socket_wait(server, false, CLOCK_NEVER));
    ck_assert_int_eq(socket_read(server, bytes, 2, &moved), IO_DONE);
    ck_assert_uint_eq(moved, 2);
    ck_assert_int_eq(socket_read(server, bytes + 2, sizeof bytes - 2, &moved), IO_DONE);
    ck_assert_uint_eq(moved, 3);
    ck_assert_mem_eq(bytes, "hello", 5);
    socket_close(client);
    ck_assert(socket_wait(server, false, CLOCK_NEVER));
    ck_assert_int_eq(socket_read(server, bytes, 0, &moved), IO_DONE);
    ck_assert_int_eq(socket_read(server, bytes, sizeof bytes, &moved), IO_CLOSED);
    ck_assert_uint_eq(moved, 0);
    socket_close(server);
}
END_TEST

START_TEST(a_full_pipe_says_so_and_opens_again)
{
    int client, server;
    static char block[64 * 1024];
    size_t moved, sent = 0, got = 0;
    loopback_pair(&client, &server);
    enum io_result result;
    while ((result = socket_write(client, block, sizeof block, &moved)) == IO_DONE) sent += moved;
    ck_assert_int_eq(result, IO_WANT_WRITE);
    ck_assert_uint_eq(moved, 0);
    ck_assert_uint_gt(sent, 0);
    ck_assert(!socket_wait(client, true, clock_now_ms()));
    while (got < sent) {
        ck_assert(socket_wait(server, false, CLOCK_NEVER));
        ck_assert_int_eq(socket_read(server, block, sizeof block, &moved), IO_DONE);
        got += moved;
    }
    ck_assert(socket_wait(client, true, CLOCK_NEVER));
    ck_assert_int_eq(socket_write(client, block, 1, &moved), IO_DONE);
    socket_close(client);
    socket_close(server);
}
END_TEST

/* SIGPIPE has its default action here and would end the process. */
START_TEST(writing_to_a_closed_peer_raises_no_signal)
{
    int client, server;
    size_t moved;
    loopback_pair(&client, &server);
    loopback_say(client, "unread");
    ck_assert(socket_wait(server, false, CLOCK_NEVER));
    socket_close(server); /* with unread bytes: a reset follows */
    enum io_result result;
    while ((result = socket_write(client, "x", 1, &moved)) == IO_DONE) {
    }
    ck_assert_int_eq(result, IO_CLOSED);
    ck_assert_int_eq(socket_write(client, "x", 1, &moved), IO_CLOSED);
    socket_close(client);
}
END_TEST

START_TEST(a_reset_reads_as_closed)
{
    int client, server;
    struct linger at_once = {1, 0};
    char byte;
    size_t moved;
    loopback_pair(&client, &server);
    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    socket_close(client);
    ck_assert(socket_wait(server, false, CLOCK_NEVER));
    ck_assert_int_eq(socket_read(server, &byte, 1, &moved), IO_CLOSED);
    socket_close(server);
}
END_TEST

START_TEST(what_is_no_socket_fails)
{
    char byte = 0;
    size_t moved;
    int fd;
    mqc_error error;
    ck_assert_int_eq(socket_read(-1, &byte, 1, &moved), IO_FAILED);
    ck_assert_int_eq(socket_write(-1, &byte, 1, &moved), IO_FAILED);
    ck_assert_int_eq(socket_accept(-1, &fd), IO_FAILED);
    ck_assert_int_eq(socket_connect_result(-1, "peer", &error), MQC_NO_CONNECTION);
    ck_assert_msg(strncmp(error.text, "peer: ", 6) == 0, "%s", error.text);
}
END_TEST

START_TEST(waiting_ends_at_the_deadline)
{
    int client, server;
    loopback_pair(&client, &server);
    ck_assert(socket_wait(client, true, clock_now_ms()));
    int64_t deadline_ms = clock_now_ms() + 20;
    ck_assert(!socket_wait(client, false, deadline_ms));
    ck_assert_int_ge(clock_now_ms(), deadline_ms);
    loopback_say(server, "x");
    ck_assert(socket_wait(client, false, CLOCK_NEVER));
    socket_close(client);
    socket_close(server);
}
END_TEST

START_TEST(a_family_the_system_lacks_is_no_connection)
{
    struct socket_address odd = {.storage.ss_family = 200, .size = sizeof(struct sockaddr_in)};
    int fd;
    mqc_error error;
    ck_assert_int_eq(socket_connect(&odd, &fd, &error), MQC_NO_CONNECTION);
    ck_assert_ptr_nonnull(strstr(error.text, "address family"));
}
END_TEST

static Suite *socket_suite(void)
{
    Suite *suite = suite_create("net/socket");
    UNIT_CASE(suite, "making", sockets_are_non_blocking_and_not_inherited, both_ends_are_named,
              refusal_names_the_peer, an_address_no_packet_can_go_to_fails_at_once,
              a_socket_connected_to_itself_counts_as_refused, a_port_in_use_is_named,
              a_family_the_system_lacks_is_no_connection);
    UNIT_CASE(suite, "moving", bytes_arrive_and_the_end_is_told,
              a_full_pipe_says_so_and_opens_again, writing_to_a_closed_peer_raises_no_signal,
              a_reset_reads_as_closed, what_is_no_socket_fails, waiting_ends_at_the_deadline);
    return suite;
}
TEST_MAIN(socket_suite)
