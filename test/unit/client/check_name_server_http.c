/* The name servers' list from an HTTP endpoint: fetched at start, the instance fails without it. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/client/client_manager.h"
#include "lib/client/options.h"
#include "test/unit/unit.h"

/* Answers one request a connection with `answer` until its socket is shut down. */
static struct {
    int listening;
    char domain[32];
    const char *answer;
    char request[1024]; /* the last one */
    pthread_t thread;
} endpoint;

static void *serve(void *arg)
{
    int fd;
    (void)arg;
    while ((fd = accept(endpoint.listening, NULL, NULL)) >= 0) {
        ssize_t size = recv(fd, endpoint.request, sizeof endpoint.request - 1, 0);
        endpoint.request[size > 0 ? size : 0] = '\0';
        send(fd, endpoint.answer, strlen(endpoint.answer), MSG_NOSIGNAL);
        close(fd);
    }
    return NULL;
}

static void endpoint_start(const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    endpoint.answer = answer;
    endpoint.listening = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(endpoint.listening, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(endpoint.listening, 4), 0);
    ck_assert_int_eq(getsockname(endpoint.listening, (struct sockaddr *)&address, &size), 0);
    snprintf(endpoint.domain, sizeof endpoint.domain, "127.0.0.1:%d", ntohs(address.sin_port));
    ck_assert_int_eq(pthread_create(&endpoint.thread, NULL, serve, NULL), 0);
}

static void endpoint_stop(void)
{
    shutdown(endpoint.listening, SHUT_RDWR);
    pthread_join(endpoint.thread, NULL);
    close(endpoint.listening);
}

static mqc_status inner_start(struct client_instance *instance, void **inner, mqc_error *error)
{
    (void)error;
    *inner = instance;
    return MQC_OK;
}

static void inner_stop(void *inner)
{
    ck_assert_ptr_nonnull(inner);
}

static const struct inner_producer_type inner = {inner_start, inner_stop};

static mqc_status join(struct client_instance **instance, mqc_error *error)
{
    unsetenv("NAMESRV_ADDR");
    mqc_client_options options = options_fill_client(
        &(mqc_client_options){.name_server_domain = endpoint.domain, .unit_name = "blue"});
    return client_manager_join(&options, &inner, NULL, instance, error);
}

START_TEST(the_list_is_fetched_at_start)
{
    struct client_instance *instance;
    mqc_error error;
    endpoint_start("HTTP/1.0 200 OK\r\n\r\n127.0.0.1:1;127.0.0.1:2\nsecond line\n");
    ck_assert_msg(join(&instance, &error) == MQC_OK, "%s", error.text);
    ck_assert(strncmp(endpoint.request, "GET /rocketmq/nsaddr-blue?nofix=1 ", 34) == 0);
    struct name_servers *servers = client_instance_api(instance)->name_servers;
    ck_assert_uint_eq(name_servers_count(servers), 2);
    ck_assert(name_servers_contain(servers, "127.0.0.1:2"));
    client_manager_leave(instance, NULL, clock_deadline_ms(2000));
    endpoint_stop();
}
END_TEST

static void start_fails_with(const char *answer, const char *text)
{
    struct client_instance *instance;
    mqc_error error;
    endpoint_start(answer);
    ck_assert_int_ne(join(&instance, &error), MQC_OK);
    ck_assert_msg(strstr(error.text, text) != NULL, "%s", error.text);
    ck_assert_uint_eq(client_manager_count(), 0);
    endpoint_stop();
}

START_TEST(a_start_without_the_list_fails)
{
    start_fails_with("HTTP/1.0 404 Not Found\r\n\r\n127.0.0.1:1", "404");
    start_fails_with("HTTP/1.0 200 OK\r\n\r\n", "did not answer with a list");
    start_fails_with("HTTP/1.0 200 OK\r\n\r\n<html>hello</html>", "did not answer with a list");
}
END_TEST

START_TEST(a_later_answer_replaces_the_list)
{
    struct client_instance *instance;
    mqc_error error;
    endpoint_start("HTTP/1.0 200 OK\r\n\r\n127.0.0.1:1");
    ck_assert_msg(join(&instance, &error) == MQC_OK, "%s", error.text);
    struct name_servers *servers = client_instance_api(instance)->name_servers;
    char url[256];
    bool changed = false;
    name_servers_url(endpoint.domain, NULL, url, sizeof url);
    endpoint.answer = "HTTP/1.0 200 OK\r\n\r\n127.0.0.1:3";
    ck_assert_int_eq(name_servers_fetch(servers, url, 3000, &changed, &error), MQC_OK);
    ck_assert(changed);
    ck_assert(name_servers_contain(servers, "127.0.0.1:3"));
    endpoint.answer = "HTTP/1.0 500 Oh\r\n\r\n";
    ck_assert_int_ne(name_servers_fetch(servers, url, 3000, &changed, &error), MQC_OK);
    ck_assert(name_servers_contain(servers, "127.0.0.1:3"));
    client_manager_leave(instance, NULL, clock_deadline_ms(2000));
    endpoint_stop();
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("name servers over HTTP");
    UNIT_CASE(suite, "http", the_list_is_fetched_at_start, a_start_without_the_list_fails,
              a_later_answer_replaces_the_list);
    return suite;
}

TEST_MAIN(suite)
