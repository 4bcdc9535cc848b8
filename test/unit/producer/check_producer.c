/* Tests of lib/producer/producer.c: the life of a producer, as far as it needs no broker. */
#include <mqclient/producer.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "lib/client/client_manager.h"
#include "lib/producer/producer_private.h"
#include "services/service.h"
#include "test/unit/unit.h"

static void assert_says(const mqc_error *error, const char *part)
{
    ck_assert_msg(strstr(error->text, part) != NULL, "'%s' is not in '%s'", part, error->text);
}

/* An address where nobody listens and nobody else will: the port is bound. */
static const char *dead_address(void)
{
    static char text[32];
    if (text[0]) return text;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(address.sin_port));
    return text;
}

static mqc_producer *make(mqc_error *error)
{
    mqc_client_options client = {.name_servers = dead_address()};
    return mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "group"}, error);
}

static mqc_producer *make_started(void)
{
    mqc_error error;
    mqc_producer *producer = make(&error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    mqc_status status = mqc_producer_start(producer, &error);
    ck_assert_msg(status == MQC_OK, "%s", error.text);
    return producer;
}

static void never(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    (void)result, (void)error, (void)arg;
    ck_abort_msg("the callback of a send that was not accepted came");
}

/* All three kinds of sends fail alike. */
static void assert_sends_fail(mqc_producer *producer, mqc_status expected, const char *says)
{
    mqc_message *message = mqc_message_new("orders", "hello", 5);
    mqc_error error;
    ck_assert_int_eq(mqc_producer_send(producer, message, NULL, NULL, &error), expected);
    assert_says(&error, says);
    ck_assert_int_eq(mqc_producer_send_async(producer, message, NULL, never, NULL, &error),
                     expected);
    assert_says(&error, says);
    ck_assert_int_eq(mqc_producer_send_oneway(producer, message, NULL, &error), expected);
    assert_says(&error, says);
    mqc_message_free(message);
}

START_TEST(wrong_options_are_refused)
{
    mqc_client_options client = {.name_servers = "127.0.0.1:9876"};
    mqc_client_options bad_client = {.name_servers = "no address"};
    const struct {
        mqc_producer_options options;
        const char *says;
    } wrong[] = {
        {{.client = &client}, "producerGroup (group) is missing"},
        {{.client = &client, .group = "a b"}, "' ' is not allowed"},
        {{.client = &client, .group = "g", .retries = -2}, "retryTimesWhenSendFailed"},
        {{.client = &bad_client, .group = "g"}, "name_servers"},
    };
    mqc_error error;
    long before = memory_live_blocks();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_ptr_null(mqc_producer_new(&wrong[i].options, &error));
        ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
        assert_says(&error, wrong[i].says);
    }
    ck_assert_ptr_null(mqc_producer_new_sized(NULL, 0, 0, &error));
    assert_says(&error, "a producer needs a group");
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

/* A caller with older or newer headers gives a shorter or longer struct. */
START_TEST(option_structs_of_other_versions)
{
    mqc_error error;
    mqc_client_options client = {.name_servers = "127.0.0.1:9876"};
    struct {
        mqc_producer_options known;
        int unknown;
    } newer;
    memset(&newer, 0, sizeof newer); /* the padding, too: all of it counts as unknown fields */
    newer.known.client = &client;
    newer.known.group = "g";
    newer.known.create_topic_key = "other";
    mqc_producer *producer =
        mqc_producer_new_sized(&newer.known, sizeof newer, sizeof client, &error);
    ck_assert_ptr_nonnull(producer);
    ck_assert_str_eq(producer->options.create_topic_key, "other");
    mqc_producer_free(producer);
    newer.unknown = 1;
    ck_assert_ptr_null(mqc_producer_new_sized(&newer.known, sizeof newer, sizeof client, &error));
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    assert_says(&error, "newer library");
    producer = mqc_producer_new_sized(
        &newer.known, offsetof(mqc_producer_options, create_topic_key), sizeof client, &error);
    ck_assert_ptr_nonnull(producer);
    ck_assert_str_eq(producer->options.create_topic_key, "TBW102");
    mqc_producer_free(producer);
}
END_TEST

START_TEST(texts_are_copied_and_defaults_filled_in)
{
    char group[] = "group", names[] = "127.0.0.1:9876", name[] = "instance";
    mqc_client_options client = {.name_servers = names, .instance_name = name};
    mqc_producer_options options = {.client = &client, .group = group, .retries = -1};
    mqc_producer *producer = mqc_producer_new(&options, NULL);
    memset(group, 'x', sizeof group - 1);
    memset(names, 'x', sizeof names - 1);
    memset(name, 'x', sizeof name - 1);
    ck_assert_str_eq(producer->role.group, "group");
    ck_assert_str_eq(producer->sender.origin.group, "group");
    ck_assert_str_eq(producer->client.name_servers, "127.0.0.1:9876");
    ck_assert_str_eq(producer->client.instance_name, "instance");
    ck_assert_int_eq(producer->options.send_timeout_ms, 3000);
    ck_assert_int_eq(producer->options.retries, 0);
    ck_assert_int_eq(producer->options.async_retries, 2);
    ck_assert_int_eq(producer->sender.attempt_timeout_ms, -1);
    ck_assert_int_eq(producer->sender.max_message_bytes, 4 << 20);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(every_allocation_of_new_may_fail)
{
    mqc_error error;
    mqc_producer_free(make(&error));
    long before = memory_live_blocks();
    mqc_producer *producer = NULL;
    int nth = 0;
    while (!producer) {
        memory_fail_from(++nth);
        producer = make(&error);
        memory_fail_from(0);
        if (producer) break;
        ck_assert_int_eq(error.status, MQC_NO_MEMORY);
        ck_assert_int_eq(memory_live_blocks(), before);
    }
    ck_assert_int_gt(nth, 3);
    mqc_producer_free(producer);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(null_handles)
{
    mqc_error error;
    assert_sends_fail(NULL, MQC_BAD_ARGUMENT, "mqc_producer_new");
    ck_assert_int_eq(mqc_producer_start(NULL, &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_producer_shutdown(NULL, 0, &error), MQC_BAD_ARGUMENT);
    mqc_producer_free(NULL);
}
END_TEST

START_TEST(each_state_says_what_to_do)
{
    mqc_error error;
    mqc_producer *producer = make(&error);
    assert_sends_fail(producer, MQC_WRONG_STATE,
                      "the producer is not started: call mqc_producer_start first");
    ck_assert_int_eq(mqc_producer_start(producer, &error), MQC_OK);
    ck_assert_int_eq(mqc_producer_start(producer, &error), MQC_WRONG_STATE);
    assert_says(&error, "was started before");
    ck_assert_int_eq(mqc_producer_shutdown(producer, -1, &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_producer_shutdown(producer, 100, &error), MQC_OK);
    ck_assert_int_eq(mqc_producer_shutdown(producer, 100, &error), MQC_OK);
    assert_sends_fail(producer, MQC_WRONG_STATE, "the producer has been shut down: make a new one");
    ck_assert_int_eq(mqc_producer_start(producer, &error), MQC_WRONG_STATE);
    assert_says(&error, "has been shut down");
    mqc_producer_free(producer);
}
END_TEST

START_TEST(one_that_never_started_is_shut_down_for_good)
{
    mqc_error error;
    mqc_producer *producer = make(&error);
    ck_assert_int_eq(mqc_producer_shutdown(producer, 0, &error), MQC_OK);
    ck_assert_int_eq(mqc_producer_start(producer, &error), MQC_WRONG_STATE);
    assert_says(&error, "has been shut down");
    mqc_producer_free(producer);
}
END_TEST

static void *start(void *arg)
{
    struct {
        mqc_producer *producer;
        atomic_int *started;
    } *race = arg;
    if (mqc_producer_start(race->producer, NULL) == MQC_OK) atomic_fetch_add(race->started, 1);
    return NULL;
}

START_TEST(of_many_starters_one_starts)
{
    enum { THREADS = 8 };
    mqc_error error;
    atomic_int started = 0;
    struct {
        mqc_producer *producer;
        atomic_int *started;
    } race = {make(&error), &started};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, start, &race), 0);
    for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(started, 1);
    mqc_producer_free(race.producer);
}
END_TEST

START_TEST(everything_is_given_back)
{
    mqc_producer_free(make_started());
    long before = memory_live_blocks();
    for (int i = 0; i < 20; i++) mqc_producer_free(make_started());
    ck_assert_int_eq(memory_live_blocks(), before);
    ck_assert_int_eq(service_live_count(), 0);
    ck_assert_uint_eq(client_manager_count(), 0);
}
END_TEST

START_TEST(two_producers_share_an_instance)
{
    mqc_error error;
    mqc_client_options client = {.name_servers = dead_address()};
    mqc_producer *one = make_started();
    mqc_producer *two =
        mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "another"}, &error);
    ck_assert_int_eq(mqc_producer_start(two, &error), MQC_OK);
    ck_assert_ptr_eq(one->sender.instance, two->sender.instance);
    mqc_producer_free(one);
    ck_assert_uint_eq(client_manager_count(), 1);
    mqc_producer_free(two);
    ck_assert_uint_eq(client_manager_count(), 0);
}
END_TEST

START_TEST(a_dead_name_server_is_named)
{
    mqc_producer *producer = make_started();
    assert_sends_fail(producer, MQC_NO_CONNECTION, dead_address());
    mqc_producer_free(producer);
}
END_TEST

START_TEST(bad_messages_are_refused)
{
    mqc_error error;
    mqc_producer *producer = make_started();
    mqc_message *empty = mqc_message_new("orders", NULL, 0);
    mqc_message *message = mqc_message_new("orders", "x", 1);
    ck_assert_int_eq(mqc_producer_send(producer, empty, NULL, NULL, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "body length is zero");
    ck_assert_int_eq(mqc_producer_send_oneway(producer, empty, NULL, &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_producer_send_async(producer, empty, NULL, never, NULL, &error),
                     MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_producer_send_async(producer, message, NULL, NULL, NULL, &error),
                     MQC_BAD_ARGUMENT);
    assert_says(&error, "done is NULL");
    ck_assert_int_eq(
        mqc_producer_send(producer, message, &(mqc_send_options){.timeout_ms = -1}, NULL, &error),
        MQC_BAD_ARGUMENT);
    mqc_message_free(empty);
    mqc_message_free(message);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(a_forked_child_is_told)
{
    mqc_producer *producer = make_started();
    pid_t child = fork();
    if (child == 0) {
        mqc_error error;
        mqc_message *message = mqc_message_new("orders", "x", 1);
        bool told = mqc_producer_send(producer, message, NULL, NULL, &error) == MQC_WRONG_STATE &&
                    strstr(error.text, "this process was forked after") &&
                    mqc_producer_shutdown(producer, 0, NULL) == MQC_WRONG_STATE;
        mqc_producer_free(producer);
        _exit(told ? 0 : 1);
    }
    int state;
    ck_assert_int_eq(waitpid(child, &state, 0), child);
    ck_assert_int_eq(state, 0);
    mqc_producer_free(producer); /* the parent's is as before */
    ck_assert_int_eq(service_live_count(), 0);
}
END_TEST

static void run_shutdown(void *arg)
{
    mqc_error error = {0};
    mqc_producer *producer = arg;
    ck_assert_int_eq(mqc_producer_shutdown(producer, 0, &error), MQC_WRONG_STATE);
    assert_says(&error, "call it from a thread of the application");
}

START_TEST(not_from_the_library_s_threads)
{
    mqc_producer *producer = make_started();
    struct service service;
    service_init(&service, "callback", run_shutdown, NULL, producer);
    ck_assert_int_eq(service_start(&service, NULL), MQC_OK);
    service_stop(&service);
    service_join(&service);
    service_done(&service);
    mqc_producer_free(producer);
}
END_TEST

static Suite *producer_suite(void)
{
    Suite *suite = suite_create("producer");
    UNIT_CASE(suite, "new", wrong_options_are_refused, option_structs_of_other_versions,
              texts_are_copied_and_defaults_filled_in, every_allocation_of_new_may_fail);
    UNIT_CASE(suite, "life", null_handles, each_state_says_what_to_do,
              one_that_never_started_is_shut_down_for_good, of_many_starters_one_starts,
              everything_is_given_back, two_producers_share_an_instance, a_forked_child_is_told,
              not_from_the_library_s_threads);
    UNIT_CASE(suite, "sends", a_dead_name_server_is_named, bad_messages_are_refused);
    return suite;
}

TEST_MAIN(producer_suite)
