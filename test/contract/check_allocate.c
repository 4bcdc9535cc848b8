/* How the members of a group divide the queues: by each strategy, by the application's own, and
 * what a listener is told of it. */
#include <pthread.h>
#include <stdio.h>

#include "test/contract/collector.h"

enum { QUEUES = 16, MEMBERS = 2 };

/* What a member was last told. */
struct seat {
    struct hall *hall;
    int number;
    int all;
    bool mine[QUEUES];
    int mine_count;
};

struct hall {
    pthread_mutex_t lock;
    struct seat seats[MEMBERS];
    struct collector *collector;
    mqc_push_consumer *consumers[MEMBERS];
    const char *topic, *group;
    bool one_has_all; /* else everybody has some */
};

static void told(const char *topic, const mqc_message_queue *all, size_t all_count,
                 const mqc_message_queue *mine, size_t mine_count, void *arg)
{
    struct seat *seat = arg;
    pthread_mutex_lock(&seat->hall->lock);
    ck_assert_str_eq(topic, seat->hall->topic);
    ck_assert_uint_eq(all_count, QUEUES);
    for (size_t i = 0; i < all_count; i++) ck_assert_int_eq(all[i].queue_id, (int)i);
    memset(seat->mine, 0, sizeof seat->mine);
    for (size_t i = 0; i < mine_count; i++) {
        ck_assert_str_eq(mine[i].topic, topic);
        seat->mine[mine[i].queue_id] = true;
    }
    seat->all = (int)all_count;
    seat->mine_count = (int)mine_count;
    pthread_mutex_unlock(&seat->hall->lock);
}

/* Each queue is exactly one member's, and nobody's listener is behind. */
static bool is_divided(void *arg)
{
    struct hall *hall = arg;
    bool divided = true;
    pthread_mutex_lock(&hall->lock);
    for (int i = 0; i < MEMBERS && !hall->one_has_all; i++)
        divided = divided && hall->seats[i].mine_count > 0;
    for (int queue = 0; queue < QUEUES; queue++) {
        int owners = 0;
        for (int i = 0; i < MEMBERS; i++) owners += hall->seats[i].mine[queue];
        divided = divided && owners == 1;
    }
    pthread_mutex_unlock(&hall->lock);
    return divided;
}

static void prepare_hall(struct hall *hall)
{
    *hall = (struct hall){.collector = collector_new(),
                          .topic = contract_topic(QUEUES),
                          .group = contract_name("group")};
    pthread_mutex_init(&hall->lock, NULL);
}

static void take_seat(struct hall *hall, int number, const mqc_allocate_options *allocate)
{
    hall->seats[number] = (struct seat){.hall = hall, .number = number};
    mqc_push_consumer_options options = {.group = hall->group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(hall->collector, number),
                                         .from = MQC_FROM_FIRST,
                                         .allocate = *allocate,
                                         .queue_listener = told,
                                         .queue_listener_arg = &hall->seats[number]};
    hall->consumers[number] = contract_consumer(&options, hall->topic, "*");
}

/* Every queue is consumed by the member that was told so, and once. */
static void check_hall(struct hall *hall)
{
    mqc_producer *producer = contract_producer(NULL);
    mqc_message_queue queue = contract_queue(hall->topic, 0);
    for (queue.queue_id = 0; queue.queue_id < QUEUES; queue.queue_id++) {
        char body[32];
        snprintf(body, sizeof body, "message %d", queue.queue_id);
        contract_send_to(producer, &queue, body);
        struct received received = collector_await_body(hall->collector, body);
        ck_assert(hall->seats[received.seat].mine[queue.queue_id]);
    }
    collector_check_each_once(hall->collector, "message ", QUEUES);
    mqc_producer_free(producer);
}

static void close_hall(struct hall *hall)
{
    for (int i = 0; i < MEMBERS; i++) contract_consumer_end(hall->consumers[i]);
    collector_free(hall->collector);
    pthread_mutex_destroy(&hall->lock);
}

static void check_same(const mqc_allocate_options *options, struct hall *hall)
{
    prepare_hall(hall);
    for (int i = 0; i < MEMBERS; i++) take_seat(hall, i, options);
    contract_await("the queues are divided", is_divided, hall);
    check_hall(hall);
}

START_TEST(test_divided_averagely)
{
    struct hall hall;
    check_same(&(mqc_allocate_options){.kind = MQC_ALLOCATE_AVERAGELY}, &hall);
    ck_assert_int_eq(hall.seats[0].mine_count, QUEUES / 2);
    for (int i = 1; i < QUEUES / 2; i++)
        ck_assert_int_eq(hall.seats[0].mine[i], hall.seats[0].mine[0]);
    close_hall(&hall);
}
END_TEST

START_TEST(test_divided_by_circle)
{
    struct hall hall;
    check_same(&(mqc_allocate_options){.kind = MQC_ALLOCATE_BY_CIRCLE}, &hall);
    for (int i = 1; i < QUEUES; i++)
        ck_assert_int_ne(hall.seats[0].mine[i], hall.seats[0].mine[i - 1]);
    close_hall(&hall);
}
END_TEST

START_TEST(test_divided_by_consistent_hash)
{
    struct hall hall;
    check_same(&(mqc_allocate_options){.kind = MQC_ALLOCATE_CONSISTENT_HASH, .virtual_nodes = 100},
               &hall);
    close_hall(&hall);
}
END_TEST

START_TEST(test_divided_by_configuration)
{
    struct hall hall;
    mqc_message_queue queues[QUEUES];
    prepare_hall(&hall);
    for (int i = 0; i < QUEUES; i++) queues[i] = contract_queue(hall.topic, i);
    take_seat(&hall, 0,
              &(mqc_allocate_options){
                  .kind = MQC_ALLOCATE_BY_CONFIGURATION, .queues = queues, .queue_count = 3});
    take_seat(&hall, 1,
              &(mqc_allocate_options){.kind = MQC_ALLOCATE_BY_CONFIGURATION,
                                      .queues = queues + 3,
                                      .queue_count = QUEUES - 3});
    contract_await("the queues are divided", is_divided, &hall);
    for (int i = 0; i < QUEUES; i++) ck_assert_int_eq(hall.seats[0].mine[i], i < 3);
    check_hall(&hall);
    close_hall(&hall);
}
END_TEST

/* Everything to the first of the ids, once the application knows. */
struct own {
    pthread_mutex_t lock;
    bool known;
    int calls;
};

static bool all_to_first(const mqc_allocation *allocation, bool *mine, void *arg)
{
    struct own *own = arg;
    bool first = strcmp(allocation->client_id, allocation->client_ids[0]) == 0;
    pthread_mutex_lock(&own->lock);
    bool known = own->known;
    own->calls++;
    pthread_mutex_unlock(&own->lock);
    for (size_t i = 0; known && i < allocation->queue_count; i++) mine[i] = first;
    return known;
}

static bool was_asked(void *arg)
{
    struct own *own = arg;
    pthread_mutex_lock(&own->lock);
    bool asked = own->calls > 0;
    own->known = asked;
    pthread_mutex_unlock(&own->lock);
    return asked;
}

START_TEST(test_divided_by_the_application)
{
    struct hall hall;
    struct own own = {.known = false};
    pthread_mutex_init(&own.lock, NULL);
    prepare_hall(&hall);
    hall.one_has_all = true;
    for (int i = 0; i < MEMBERS; i++)
        take_seat(&hall, i, &(mqc_allocate_options){.own = all_to_first, .arg = &own});
    contract_await("the strategy was asked, and says from now on", was_asked, &own);
    contract_await("the queues are divided", is_divided, &hall);
    check_hall(&hall);
    ck_assert_int_eq(hall.seats[0].mine_count * hall.seats[1].mine_count, 0);
    close_hall(&hall);
}
END_TEST

/* Retries of a group that is divided by configuration come all the same. */
static mqc_consume_status refuse_first(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    mqc_delivery_retry_level(delivery, 1);
    return mqc_message_reconsume_times(mqc_delivery_at(delivery, 0)) > 0 ? MQC_CONSUME_SUCCESS
                                                                         : MQC_RECONSUME_LATER;
}

START_TEST(test_retries_of_configured_queues)
{
    const char *topic = contract_topic(1);
    mqc_message_queue queue = contract_queue(topic, 0);
    struct collector *collector = collector_new_judging(refuse_first, NULL);
    mqc_client_options client = contract_client();
    contract_hurry();
    client.route_refresh_ms = 200;
    mqc_push_consumer_options options = {
        .client = &client,
        .group = contract_name("group"),
        .listener = collector_listen,
        .listener_arg = collector_seat(collector, 0),
        .from = MQC_FROM_FIRST,
        .allocate = {.kind = MQC_ALLOCATE_BY_CONFIGURATION, .queues = &queue, .queue_count = 1}};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    mqc_producer *producer = contract_producer(NULL);
    contract_send(producer, topic, "again");
    collector_await(collector, 2);
    ck_assert_uint_eq(collector_count_body(collector, "again"), 2);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

START_TEST(test_bad_strategies)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_push_consumer_options options = {.client = &client,
                                         .group = "group",
                                         .listener = collector_listen,
                                         .allocate = {.kind = MQC_ALLOCATE_BY_MACHINE_ROOM}};
    ck_assert_ptr_null(mqc_push_consumer_new(&options, &error));
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    ck_assert_str_eq(error.text,
                     "the strategy MACHINE_ROOM has no allocate.rooms: give \"room;room\"");
    options.allocate = (mqc_allocate_options){.kind = (mqc_allocate_kind)9};
    ck_assert_ptr_null(mqc_push_consumer_new(&options, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "allocateMessageQueueStrategy (allocate.kind) is 9"));
}
END_TEST

CONTRACT_MAIN("allocate", test_divided_averagely, test_divided_by_circle,
              test_divided_by_consistent_hash, test_divided_by_configuration,
              test_divided_by_the_application, test_retries_of_configured_queues,
              test_bad_strategies)
