/* Tests of services/resolver.c and of how the remoting client uses what a name leads to. The
 * system's resolver is replaced by one that answers, changes its mind or hangs as it is told. */
#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>

#include "test/unit/services/remoting_calls.h"

/* ---- the resolver ---- */

/* The addresses of the name "multi", in this order. */
static const char *numbers[4];
static atomic_int lookups;
static sem_t hanging, go_on;
static char OWN[] = "made by this test";

static struct addrinfo *make_node(const char *number, const char *port, struct addrinfo *next)
{
    struct addrinfo *node = calloc(1, sizeof *node);
    struct sockaddr_in *address = calloc(1, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)atoi(port));
    ck_assert_int_eq(inet_pton(AF_INET, number, &address->sin_addr), 1);
    *node = (struct addrinfo){.ai_family = AF_INET,
                              .ai_socktype = SOCK_STREAM,
                              .ai_addr = (struct sockaddr *)address,
                              .ai_addrlen = sizeof *address,
                              .ai_canonname = OWN,
                              .ai_next = next};
    return node;
}

/* In the place of libc's. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **out)
{
    if (strcmp(host, "multi") == 0) {
        atomic_fetch_add(&lookups, 1);
        *out = NULL;
        for (int i = 3; i >= 0; i--)
            if (numbers[i]) *out = make_node(numbers[i], port, *out);
        return *out ? 0 : EAI_NONAME;
    }
    if (strcmp(host, "hung") == 0) {
        sem_post(&hanging);
        sem_wait(&go_on);
        return EAI_AGAIN;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(host, port, hints, out);
}

void freeaddrinfo(struct addrinfo *list)
{
    if (list && list->ai_canonname != OWN) {
        void (*real)(struct addrinfo *);
        *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
        real(list);
        return;
    }
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list->ai_addr);
        free(list);
        list = next;
    }
}

static void setup(void)
{
    memset(numbers, 0, sizeof numbers);
    sem_init(&hanging, 0, 0);
    sem_init(&go_on, 0, 0);
}

/* "multi" with the port of a server. */
static const char *multi_at(const struct fake_server *server)
{
    static char text[64];
    snprintf(text, sizeof text, "multi%s", strrchr(server->address, ':'));
    return text;
}

/* ---- tests ---- */

START_TEST(every_address_is_tried)
{
    struct fake_server server;
    fake_start(&server, echo, NULL);
    struct remoting_client *client = client_up(PATIENCE_MS, -1);
    numbers[0] = "127.0.0.7"; /* nobody listens there */
    numbers[1] = "127.0.0.8";
    numbers[2] = "127.0.0.1";
    call_echo(client, multi_at(&server), "hello");
    client_down(client);
    fake_stop(&server);
}
END_TEST

/* A listener on 127.0.0.2 whose queue is full: it answers no SYN. */
static int black_hole(const struct fake_server *server, int fillers[4])
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port =
                                      htons((uint16_t)atoi(strrchr(server->address, ':') + 1))};
    inet_pton(AF_INET, "127.0.0.2", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 0), 0);
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    return fd;
}

START_TEST(a_silent_address_leaves_time_for_the_next)
{
    struct fake_server server;
    int fillers[4];
    fake_start(&server, echo, NULL);
    int hole = black_hole(&server, fillers);
    struct remoting_client *client = client_up(2000, -1);
    numbers[0] = "127.0.0.2";
    numbers[1] = "127.0.0.1";
    call_echo(client, multi_at(&server), "hello");
    client_down(client);
    for (int i = 0; i < 4; i++) close(fillers[i]);
    close(hole);
    fake_stop(&server);
}
END_TEST

static bool any_address(const char *address, void *arg)
{
    (void)address, (void)arg;
    return true;
}

START_TEST(a_name_is_looked_up_for_each_connection)
{
    struct fake_server server;
    mqc_error error;
    struct remoting_response response;
    fake_start(&server, echo, NULL);
    struct remoting_client *client = client_up(PATIENCE_MS, -1);
    numbers[0] = "127.0.0.1";
    call_echo(client, multi_at(&server), "one");
    call_echo(client, multi_at(&server), "two");
    ck_assert_int_eq(atomic_load(&lookups), 1);
    remoting_client_close_if(client, any_address, NULL);
    numbers[0] = "127.0.0.9"; /* it has moved: what was known is not asked again */
    ck_assert_int_eq(
        call(client, multi_at(&server), SLICE_LITERAL("x"), PATIENCE_MS, &response, &error),
        MQC_NO_CONNECTION);
    numbers[0] = "127.0.0.1";
    call_echo(client, multi_at(&server), "three");
    /* A call may find its connection just closed, and then asks for one more. */
    ck_assert_int_ge(atomic_load(&lookups), 3);
    client_down(client);
    fake_stop(&server);
}
END_TEST

/* A dead name service: the end does not wait for it, and all that was asked is answered. */
START_TEST(a_hung_lookup_does_not_hold_up_the_end)
{
    enum { CALLS = 3 };
    struct latch latch;
    latch_init(&latch);
    struct outcome outcomes[CALLS];
    struct remoting_client *client = client_up(PATIENCE_MS, -1);
    const char *addresses[CALLS] = {"hung:1", "hung:2", "multi:3"};
    for (int i = 0; i < CALLS; i++) {
        outcomes[i] = (struct outcome){.latch = &latch};
        call_async(client, addresses[i], "x", PATIENCE_MS, &outcomes[i]);
    }
    sem_wait(&hanging);
    remoting_client_stop(client, clock_deadline_ms(50));
    remoting_client_free(client);
    for (int i = 0; i < CALLS; i++) {
        ck_assert_int_eq(atomic_load(&outcomes[i].completions), 1);
        ck_assert_int_eq(outcomes[i].status, MQC_CANCELLED);
    }
    ck_assert_int_eq(service_live_count(), 1);
    sem_post(&go_on); /* the thread ends by itself, with nobody left who would know it */
    while (service_live_count() > 0) poll(NULL, 0, 1);
    ck_assert_int_eq(atomic_load(&lookups), 0);
    latch_done(&latch);
}
END_TEST

/* What is answered in time is waited for: the thread is joined. */
START_TEST(a_slow_lookup_is_waited_for)
{
    struct latch latch;
    latch_init(&latch);
    struct outcome outcome = {.latch = &latch};
    struct remoting_client *client = client_up(PATIENCE_MS, -1);
    call_async(client, "hung:1", "x", PATIENCE_MS, &outcome);
    sem_wait(&hanging);
    sem_post(&go_on);
    latch_wait(&latch, 1);
    ck_assert_int_eq(outcome.status, MQC_NO_CONNECTION);
    client_down(client);
    latch_done(&latch);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("remoting_names");
    setup();
    UNIT_CASE(suite, "addresses", every_address_is_tried, a_silent_address_leaves_time_for_the_next,
              a_name_is_looked_up_for_each_connection);
    UNIT_CASE(suite, "end", a_hung_lookup_does_not_hold_up_the_end, a_slow_lookup_is_waited_for);
    return suite;
}
TEST_MAIN(suite)
