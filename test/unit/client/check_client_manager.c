/* Instances shared and counted, the state machine, and failed starts undone; no broker is needed.
 */
#include "lib/client/client_manager.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/client/options.h"
#include "services/service.h"
#include "test/unit/unit.h"

static atomic_int inner_up, inner_refuses;

static mqc_status inner_start(struct client_instance *instance, void **inner, mqc_error *error)
{
    if (atomic_load(&inner_refuses))
        return error_set(error, MQC_SYSTEM, "the inner producer refuses");
    atomic_fetch_add(&inner_up, 1);
    *inner = instance;
    return MQC_OK;
}

static void inner_stop(void *inner)
{
    ck_assert_ptr_nonnull(inner);
    atomic_fetch_sub(&inner_up, 1);
}

static const struct inner_producer_type inner = {inner_start, inner_stop};
static const struct client_role_type producer_type = {.kind = CLIENT_ROLE_PRODUCER};

static mqc_client_options options_named(const char *name)
{
    /* Port 1 of loopback: nobody listens, and nothing here needs an answer. */
    mqc_client_options options = {.name_servers = "127.0.0.1:1", .instance_name = name};
    return options_fill_client(&options);
}

static struct client_instance *join(const mqc_client_options *options, struct client_role *role)
{
    struct client_instance *instance;
    mqc_error error;
    ck_assert_msg(client_manager_join(options, &inner, role, &instance, &error) == MQC_OK, "%s",
                  error.text);
    return instance;
}

static void leave(struct client_instance *instance, struct client_role *role)
{
    client_manager_leave(instance, role, clock_deadline_ms(2000));
}

static void assert_nothing_left(void)
{
    ck_assert_uint_eq(client_manager_count(), 0);
    ck_assert_int_eq(service_live_count(), 0);
    ck_assert_int_eq(atomic_load(&inner_up), 0);
}

START_TEST(a_name_is_shared)
{
    mqc_client_options options = options_named("one");
    struct client_role a = {.type = &producer_type, .group = "a"};
    struct client_role b = {.type = &producer_type, .group = "b"};
    struct client_instance *first = join(&options, &a);
    ck_assert_int_eq(client_instance_state(first), CLIENT_RUNNING);
    ck_assert_ptr_nonnull(strstr(client_instance_id(first), "@one"));
    ck_assert_ptr_eq(join(&options, &b), first);
    ck_assert_uint_eq(client_manager_count(), 1);
    leave(first, &a);
    ck_assert_int_eq(client_instance_state(first), CLIENT_RUNNING);
    leave(first, &b);
    assert_nothing_left();
}
END_TEST

START_TEST(a_group_is_there_once_on_a_named_instance)
{
    mqc_client_options options = options_named("one");
    struct client_role a = {.type = &producer_type, .group = "g"};
    struct client_role b = {.type = &producer_type, .group = "g"};
    struct client_instance *instance = join(&options, &a), *other;
    mqc_error error;
    ck_assert_int_eq(client_manager_join(&options, &inner, &b, &other, &error), MQC_WRONG_STATE);
    ck_assert_ptr_nonnull(strstr(error.text, "The producer group[g] has been created before"));
    leave(instance, &a);
    assert_nothing_left();
}
END_TEST

START_TEST(without_a_name_equal_options_share_and_equal_groups_do_not)
{
    mqc_client_options options = options_named(NULL);
    struct client_role a = {.type = &producer_type, .group = "g"};
    struct client_role b = {.type = &producer_type, .group = "h"};
    struct client_role c = {.type = &producer_type, .group = "g"};
    struct client_instance *first = join(&options, &a);
    ck_assert_ptr_eq(join(&options, &b), first);
    struct client_instance *second = join(&options, &c);
    ck_assert_ptr_ne(second, first);
    ck_assert_str_ne(client_instance_id(second), client_instance_id(first));
    mqc_client_options elsewhere = options;
    elsewhere.name_servers = "127.0.0.1:2";
    struct client_role d = {.type = &producer_type, .group = "i"};
    struct client_instance *third = join(&elsewhere, &d);
    ck_assert_ptr_ne(third, first);
    leave(first, &a);
    leave(first, &b);
    leave(second, &c);
    leave(third, &d);
    assert_nothing_left();
}
END_TEST

START_TEST(another_cluster_under_the_same_name_is_refused)
{
    mqc_client_options options = options_named("one"), elsewhere = options;
    elsewhere.name_servers = "127.0.0.1:2";
    struct client_role a = {.type = &producer_type, .group = "g"};
    struct client_role b = {.type = &producer_type, .group = "h"};
    struct client_instance *instance = join(&options, &a), *other;
    mqc_error error;
    ck_assert_int_eq(client_manager_join(&elsewhere, &inner, &b, &other, &error), MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "other name servers"));
    leave(instance, &a);
    assert_nothing_left();
}
END_TEST

START_TEST(a_failed_start_is_undone_and_can_be_tried_afresh)
{
    mqc_client_options options = options_named("one");
    struct client_role a = {.type = &producer_type, .group = "g"};
    struct client_instance *instance;
    mqc_error error;
    atomic_store(&inner_refuses, 1);
    ck_assert_int_eq(client_manager_join(&options, &inner, &a, &instance, &error), MQC_SYSTEM);
    ck_assert_str_eq(error.text, "the inner producer refuses");
    assert_nothing_left();
    atomic_store(&inner_refuses, 0);
    leave(join(&options, &a), &a);
    assert_nothing_left();
}
END_TEST

START_TEST(the_states_of_an_instance)
{
    mqc_client_options options = options_named("one");
    struct client_instance *instance;
    mqc_error error;
    ck_assert_int_eq(client_instance_new(&options, "id", &inner, &instance, NULL), MQC_OK);
    ck_assert_int_eq(client_instance_state(instance), CLIENT_CREATE_JUST);
    atomic_store(&inner_refuses, 1);
    ck_assert_int_eq(client_instance_start(instance, &error), MQC_SYSTEM);
    ck_assert_int_eq(client_instance_state(instance), CLIENT_START_FAILED);
    atomic_store(&inner_refuses, 0);
    ck_assert_int_eq(client_instance_start(instance, &error), MQC_WRONG_STATE);
    ck_assert_str_eq(error.text, "The Factory object[id] has been created before, and failed.");
    client_instance_free(instance);

    ck_assert_int_eq(client_instance_new(&options, "id", &inner, &instance, NULL), MQC_OK);
    ck_assert_int_eq(client_instance_start(instance, &error), MQC_OK);
    ck_assert_int_eq(client_instance_start(instance, &error), MQC_OK);
    ck_assert_int_eq(atomic_load(&inner_up), 1);
    client_instance_shutdown(instance, clock_deadline_ms(2000));
    ck_assert_int_eq(client_instance_state(instance), CLIENT_SHUTDOWN_ALREADY);
    client_instance_shutdown(instance, clock_deadline_ms(2000));
    ck_assert_int_eq(client_instance_start(instance, &error), MQC_WRONG_STATE);
    client_instance_free(instance);
    assert_nothing_left();
}
END_TEST

enum { CALLERS = 16 };
static struct client_role roles[CALLERS];
static struct client_instance *instances[CALLERS];

static void *join_and_leave(void *arg)
{
    size_t i = (size_t)(uintptr_t)arg;
    mqc_client_options options = options_named("shared");
    static const char *const groups[CALLERS] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                                "i", "j", "k", "l", "m", "n", "o", "p"};
    for (int round = 0; round < 20; round++) {
        roles[i] = (struct client_role){.type = &producer_type, .group = groups[i]};
        instances[i] = join(&options, &roles[i]);
        leave(instances[i], &roles[i]);
    }
    roles[i] = (struct client_role){.type = &producer_type, .group = groups[i]};
    instances[i] = join(&options, &roles[i]);
    return NULL;
}

START_TEST(concurrent_callers_get_one_instance)
{
    pthread_t threads[CALLERS];
    for (size_t i = 0; i < CALLERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, join_and_leave, (void *)(uintptr_t)i),
                         0);
    for (size_t i = 0; i < CALLERS; i++) pthread_join(threads[i], NULL);
    for (size_t i = 1; i < CALLERS; i++) ck_assert_ptr_eq(instances[i], instances[0]);
    ck_assert_uint_eq(client_manager_count(), 1);
    ck_assert_int_eq(atomic_load(&inner_up), 1);
    for (size_t i = 0; i < CALLERS; i++) leave(instances[i], &roles[i]);
    assert_nothing_left();
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("client_manager");
    UNIT_CASE(suite, "sharing", a_name_is_shared, a_group_is_there_once_on_a_named_instance,
              without_a_name_equal_options_share_and_equal_groups_do_not,
              another_cluster_under_the_same_name_is_refused, concurrent_callers_get_one_instance);
    UNIT_CASE(suite, "states", the_states_of_an_instance,
              a_failed_start_is_undone_and_can_be_tried_afresh);
    return suite;
}

TEST_MAIN(suite)
