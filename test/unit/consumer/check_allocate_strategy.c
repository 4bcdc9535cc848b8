/* Dividing queues exactly as Java's strategies do: every line of the table that its classes have
 * written (test/interop/golden), and what no table can say. */
#include "lib/consumer/allocate_strategy.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

enum { MOST_QUEUES = 64, MOST_IDS = 16, MOST_LISTS = 16 };

static mqc_error error;

/* ---- the table ---- */

struct list {
    char *name;
    char *words[MOST_QUEUES]; /* ids, or broker:id */
    size_t count;
    mqc_message_queue queues[MOST_QUEUES];
};

static struct list ids[MOST_LISTS], topics[MOST_LISTS];
static size_t ids_count, topics_count;

static struct list *find_list(struct list *lists, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(lists[i].name, name) == 0) return &lists[i];
    }
    ck_abort_msg("the table names %s before it says what that is", name);
}

static void read_list(char *rest, struct list *list, bool queues)
{
    list->name = strtok_r(NULL, " ", &rest);
    for (char *word; (word = strtok_r(NULL, " ", &rest)); list->count++) {
        ck_assert_uint_lt(list->count, MOST_QUEUES);
        list->words[list->count] = word;
        if (!queues) continue;
        char *colon = strrchr(word, ':');
        *colon = '\0';
        list->queues[list->count] = (mqc_message_queue){"orders", word, atoi(colon + 1)};
    }
}

/* As the generator's resolver. */
static const char *room_before(const char *name, const char *mark)
{
    static char room[64];
    snprintf(room, sizeof room, "%.*s", (int)strcspn(name, mark), name);
    return room;
}

static const char *broker_room(const char *broker_name, void *arg)
{
    (void)arg;
    return room_before(broker_name, "@");
}

static const char *client_room(const char *client_id, void *arg)
{
    (void)arg;
    return room_before(client_id, "-");
}

/* What the name and parameter of a line mean as options. */
static mqc_allocate_options options_of(const char *name, const char *parameter,
                                       const struct list *topic)
{
    static const char nearby[] = "MACHINE_ROOM_NEARBY-";
    mqc_allocate_options options = {0};
    if (strncmp(name, nearby, sizeof nearby - 1) == 0) {
        options.within = options_of(name + sizeof nearby - 1, "10", topic).kind;
        options.kind = MQC_ALLOCATE_MACHINE_ROOM_NEARBY;
        options.room_of_broker = broker_room;
        options.room_of_client = client_room;
    } else if (strcmp(name, "AVG_BY_CIRCLE") == 0) {
        options.kind = MQC_ALLOCATE_BY_CIRCLE;
    } else if (strcmp(name, "CONSISTENT_HASH") == 0) {
        options.kind = MQC_ALLOCATE_CONSISTENT_HASH;
        options.virtual_nodes = atoi(parameter);
    } else if (strcmp(name, "MACHINE_ROOM") == 0) {
        options.kind = MQC_ALLOCATE_BY_MACHINE_ROOM;
        options.rooms = parameter;
    } else if (strcmp(name, "CONFIG") == 0) {
        options.kind = MQC_ALLOCATE_BY_CONFIGURATION;
        options.queues = topic->queues + atoi(parameter);
        options.queue_count = topic->count - (size_t)atoi(parameter);
    } else {
        ck_assert_str_eq(name, "AVG");
    }
    return options;
}

static void check_share(const mqc_allocate_options *options, const struct list *members,
                        const struct list *topic, const char *own_id, const char *expected)
{
    mqc_allocation allocation = {
        "group",        "orders",      own_id,      (const char *const *)members->words,
        members->count, topic->queues, topic->count};
    char actual[MOST_QUEUES + 1];
    bool mine[MOST_QUEUES];
    memset(mine, 1, sizeof mine);
    mqc_status status = allocate_queues(options, &allocation, mine, &error);
    for (size_t i = 0; i < topic->count; i++) actual[i] = mine[i] ? 'x' : '.';
    actual[topic->count] = '\0';
    if (status == MQC_WRONG_STATE) snprintf(actual, sizeof actual, "refused");
    char buffer[64];
    ck_assert_msg(strcmp(actual, expected) == 0, "%s of %s among %s, queues %s: %s, Java %s",
                  allocate_name(options, buffer), own_id, members->name, topic->name, actual,
                  expected);
}

static void check_line(char *name, char *rest)
{
    char *parameter = strtok_r(NULL, " ", &rest);
    struct list *members = find_list(ids, ids_count, strtok_r(NULL, " ", &rest));
    struct list *topic = find_list(topics, topics_count, strtok_r(NULL, " ", &rest));
    mqc_allocate_options given = options_of(name, parameter, topic), options;
    char buffer[64];
    ck_assert_msg(allocate_options_check(&given, &error) == MQC_OK, "%s", error.text);
    ck_assert_int_eq(allocate_options_copy(&given, &options, &error), MQC_OK);
    ck_assert_str_eq(allocate_name(&options, buffer), name);
    for (size_t i = 0; i <= members->count; i++) {
        const char *own_id = i < members->count ? members->words[i] : "stranger-1";
        char *expected = strtok_r(NULL, " ", &rest);
        ck_assert_ptr_nonnull(expected);
        check_share(&options, members, topic, own_id, expected);
    }
    allocate_options_done(&options);
}

START_TEST(test_as_java)
{
    static char text[1 << 18];
    struct slice table = golden_text("allocate_strategies.txt");
    ck_assert_uint_lt(table.size, sizeof text);
    memcpy(text, table.data, table.size);
    size_t lines = 0;
    char *rest_of_text = text;
    for (char *line; (line = strtok_r(NULL, "\n", &rest_of_text)); lines++) {
        char *rest = line;
        if (line[0] == '#') continue;
        char *word = strtok_r(NULL, " ", &rest);
        if (strcmp(word, "ids") == 0)
            read_list(rest, &ids[ids_count++], false);
        else if (strcmp(word, "queues") == 0)
            read_list(rest, &topics[topics_count++], true);
        else
            check_line(word, rest);
    }
    ck_assert_uint_gt(lines, 700);
}
END_TEST

/* ---- each queue has one owner ---- */

static mqc_message_queue queues[MOST_QUEUES];
static char id_texts[MOST_IDS][8];
static const char *id_pointers[MOST_IDS];

/* Ids "a", "b", … and so many queues. */
static mqc_allocation make_allocation(size_t id_count, size_t queue_count)
{
    for (size_t i = 0; i < id_count; i++) {
        snprintf(id_texts[i], sizeof id_texts[i], "%c", (char)('a' + i));
        id_pointers[i] = id_texts[i];
    }
    for (size_t i = 0; i < queue_count; i++)
        queues[i] = (mqc_message_queue){"orders", i % 2 ? "broker-b" : "broker-a", (int)i};
    return (mqc_allocation){"group", "orders", "a", id_pointers, id_count, queues, queue_count};
}

START_TEST(test_every_queue_has_one_owner)
{
    static const mqc_allocate_kind kinds[] = {MQC_ALLOCATE_AVERAGELY, MQC_ALLOCATE_BY_CIRCLE,
                                              MQC_ALLOCATE_CONSISTENT_HASH};
    for (size_t queue_count = 0; queue_count <= 40; queue_count += 1 + queue_count / 8) {
        for (size_t id_count = 1; id_count <= 12; id_count++) {
            for (size_t kind = 0; kind < 3; kind++) {
                mqc_allocate_options options = {.kind = kinds[kind], .virtual_nodes = 10};
                mqc_allocation allocation = make_allocation(id_count, queue_count);
                int owners[MOST_QUEUES] = {0};
                for (size_t id = 0; id < id_count; id++) {
                    bool mine[MOST_QUEUES];
                    allocation.client_id = id_texts[id];
                    ck_assert_int_eq(allocate_queues(&options, &allocation, mine, &error), MQC_OK);
                    for (size_t i = 0; i < queue_count; i++) owners[i] += mine[i];
                }
                for (size_t i = 0; i < queue_count; i++) ck_assert_int_eq(owners[i], 1);
            }
        }
    }
}
END_TEST

START_TEST(test_stranger_gets_nothing)
{
    for (int kind = MQC_ALLOCATE_AVERAGELY; kind <= MQC_ALLOCATE_MACHINE_ROOM_NEARBY; kind++) {
        if (kind == MQC_ALLOCATE_BY_CONFIGURATION) continue; /* asks nobody */
        mqc_allocate_options options = {.kind = (mqc_allocate_kind)kind, .virtual_nodes = 1};
        mqc_allocation allocation = make_allocation(2, 4);
        bool mine[4] = {true, true, true, true};
        allocation.client_id = "z";
        ck_assert_int_eq(allocate_queues(&options, &allocation, mine, &error), MQC_NOT_FOUND);
        ck_assert_str_eq(error.text, "the broker does not list us among 2 members");
        for (int i = 0; i < 4; i++) ck_assert(!mine[i]);
        allocation.client_count = 0;
        ck_assert_int_eq(allocate_queues(&options, &allocation, mine, &error), MQC_NOT_FOUND);
    }
}
END_TEST

/* ---- configuration ---- */

START_TEST(test_configured)
{
    mqc_allocation allocation = make_allocation(2, 4);
    const mqc_message_queue own[] = {
        {"orders", "broker-b", 3}, {"orders", "gone", 0}, {"x", "y", 0}};
    mqc_allocate_options options = {
        .kind = MQC_ALLOCATE_BY_CONFIGURATION, .queues = own, .queue_count = 3};
    bool mine[4];
    ck_assert_int_eq(allocate_queues(&options, &allocation, mine, &error), MQC_OK);
    ck_assert(!mine[0] && !mine[1] && !mine[2] && mine[3]);
    allocation.topic = "%RETRY%group";
    ck_assert_int_eq(allocate_queues(&options, &allocation, mine, &error), MQC_OK);
    ck_assert_msg(mine[0] && mine[1] && !mine[2] && !mine[3], "retries are divided averagely");
    allocation.topic = "other";
    ck_assert_int_eq(allocate_queues(&options, &allocation, mine, &error), MQC_OK);
    for (int i = 0; i < 4; i++) ck_assert(!mine[i]);
}
END_TEST

/* ---- the application's own ---- */

static bool take_last(const mqc_allocation *allocation, bool *mine, void *arg)
{
    ck_assert_str_eq(allocation->group, "group");
    ck_assert_uint_eq(allocation->client_count, 2);
    mine[allocation->queue_count - 1] = true;
    return *(bool *)arg;
}

START_TEST(test_own)
{
    bool known = true, mine[4];
    mqc_allocation allocation = make_allocation(2, 4);
    mqc_allocate_options options = {.own = take_last, .arg = &known};
    char buffer[64];
    ck_assert_int_eq(allocate_queues(&options, &allocation, mine, &error), MQC_OK);
    ck_assert(!mine[0] && !mine[1] && !mine[2] && mine[3]);
    ck_assert_str_eq(allocate_name(&options, buffer), "OWN");
    known = false;
    ck_assert_int_eq(allocate_queues(&options, &allocation, mine, &error), MQC_WRONG_STATE);
    allocation.client_id = "z"; /* not among the ids: not asked */
    ck_assert_int_eq(allocate_queues(&options, &allocation, mine, &error), MQC_NOT_FOUND);
}
END_TEST

/* ---- no memory ---- */

static const char *one_room(const char *name, void *arg)
{
    (void)arg;
    return name[0] < 'c' ? "left" : "right";
}

START_TEST(test_no_memory)
{
    const mqc_allocate_options all[] = {
        {.kind = MQC_ALLOCATE_CONSISTENT_HASH, .virtual_nodes = 3},
        {.kind = MQC_ALLOCATE_BY_MACHINE_ROOM, .rooms = "a"},
        {.kind = MQC_ALLOCATE_MACHINE_ROOM_NEARBY,
         .room_of_broker = one_room,
         .room_of_client = one_room},
    };
    mqc_allocation allocation = make_allocation(5, 8);
    long live = memory_live_blocks();
    for (size_t kind = 0; kind < sizeof all / sizeof *all; kind++) {
        mqc_status status = MQC_NO_MEMORY;
        bool mine[8];
        for (long nth = 1; status != MQC_OK; nth++) {
            memory_fail_from(nth);
            status = allocate_queues(&all[kind], &allocation, mine, &error);
            memory_fail_from(0);
            ck_assert(status == MQC_OK || status == MQC_NO_MEMORY);
            ck_assert_int_eq(memory_live_blocks(), live);
            ck_assert_int_lt(nth, 100);
        }
    }
}
END_TEST

/* ---- order ---- */

static void check_order(const char *const *shuffled, const char *const *expected, size_t count)
{
    char *names[8];
    for (size_t i = 0; i < count; i++) names[i] = (char *)(uintptr_t)shuffled[i];
    struct name_list list = {count, names};
    allocate_sort_ids(&list);
    for (size_t i = 0; i < count; i++) ck_assert_str_eq(list.names[i], expected[i]);
}

START_TEST(test_ids_in_javas_order)
{
    check_order((const char *const[]){"10.0.0.1@9", "10.0.0.1@10", "10.0.0.1", "B@1", "a@1"},
                (const char *const[]){"10.0.0.1", "10.0.0.1@10", "10.0.0.1@9", "B@1", "a@1"}, 5);
    /* U+FF5E comes before U+1F600 by code point and byte, but behind its surrogates D83D DE00. */
    check_order((const char *const[]){"\xEF\xBD\x9E", "\xF0\x9F\x98\x80", "z"},
                (const char *const[]){"z", "\xF0\x9F\x98\x80", "\xEF\xBD\x9E"}, 3);
}
END_TEST

START_TEST(test_queues_in_javas_order)
{
    mqc_message_queue shuffled[] = {
        {"t", "broker-b", 0}, {"t", "broker-a", 10}, {"t", "broker-a", 9},
        {"s", "broker-z", 3}, {"t", "Broker-c", 1},  {"t", "broker-a", 0},
    };
    const mqc_message_queue expected[] = {
        {"s", "broker-z", 3}, {"t", "Broker-c", 1},  {"t", "broker-a", 0},
        {"t", "broker-a", 9}, {"t", "broker-a", 10}, {"t", "broker-b", 0},
    };
    allocate_sort_queues(shuffled, 6);
    for (int i = 0; i < 6; i++) {
        ck_assert_str_eq(shuffled[i].topic, expected[i].topic);
        ck_assert_str_eq(shuffled[i].broker_name, expected[i].broker_name);
        ck_assert_int_eq(shuffled[i].queue_id, expected[i].queue_id);
    }
    allocate_sort_queues(NULL, 0);
}
END_TEST

static Suite *allocate_strategy_suite(void)
{
    Suite *suite = suite_create("allocate_strategy");
    UNIT_CASE(suite, "shares", test_as_java, test_every_queue_has_one_owner,
              test_stranger_gets_nothing, test_configured, test_own, test_no_memory);
    UNIT_CASE(suite, "order", test_ids_in_javas_order, test_queues_in_javas_order);
    return suite;
}

TEST_MAIN(allocate_strategy_suite)
