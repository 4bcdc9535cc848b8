/* The cluster's listening sockets when descriptors run out, and its log. */
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "test/unit/embedded/wire_client.h"

static void nothing(void)
{
}

static int64_t cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* Never fails for want of speed: a server that waits uses next to nothing however long it takes. */
START_TEST(without_descriptors_the_server_waits)
{
    enum { WAIT_MS = 400, MOST_CPU_MS = 200 };
    struct rlimit limit;
    mqc_embedded *cluster = cluster_start(NULL);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int next = open("/dev/null", O_RDONLY);
    ck_assert_int_ge(next, 0);
    close(next);
    struct rlimit tight = {.rlim_cur = (rlim_t)next + 1, .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    struct wire *wire = wire_open(mqc_embedded_broker_address(cluster, 0)); /* takes the last one */
    int32_t opaque = wire_send(wire, 9999, NULL, NULL, SLICE_ABSENT);
    int64_t before = cpu_ms();
    struct pollfd answer = {.fd = wire->fd, .events = POLLIN};
    ck_assert_int_eq(poll(&answer, 1, WAIT_MS), 0);
    ck_assert_int_lt(cpu_ms() - before, MOST_CPU_MS);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    wire_frame_free(wire_receive(wire, opaque));
    wire_close(wire);
    mqc_embedded_stop(cluster);
}
END_TEST

static void count_line(const mqc_log_line *line, void *arg)
{
    int *lines = arg;
    if (strstr(line->text, "embedded cluster")) (*lines)++;
}

START_TEST(log_lines_go_to_the_sink)
{
    int lines = 0;
    mqc_embedded_log_to(count_line, &lines, MQC_LOG_INFO);
    mqc_embedded_stop(cluster_start(NULL));
    ck_assert_int_eq(lines, 2);
    mqc_embedded_log_to(NULL, NULL, MQC_LOG_WARN);
    mqc_embedded_stop(cluster_start(NULL));
    ck_assert_int_eq(lines, 2);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded server");
    WIRE_CASE(s, "server", nothing, nothing, without_descriptors_the_server_waits,
              log_lines_go_to_the_sink);
    return s;
}
TEST_MAIN(suite)
