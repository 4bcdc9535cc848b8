/* The list of name servers: parsing, choosing, replacing. */
#include "lib/client/name_servers.h"

#include <stdio.h>

#include "test/unit/unit.h"

static struct name_servers servers;

static void fill(const char *list)
{
    name_servers_init(&servers);
    ck_assert_int_eq(name_servers_set(&servers, list, NULL, NULL), MQC_OK);
}

START_TEST(a_list_is_split_and_trimmed)
{
    fill(" a:1; b:2 ;;a:1;[::1]:3");
    ck_assert_uint_eq(name_servers_count(&servers), 3);
    ck_assert(name_servers_contain(&servers, "a:1"));
    ck_assert(name_servers_contain(&servers, "b:2"));
    ck_assert(name_servers_contain(&servers, "[::1]:3"));
    ck_assert(!name_servers_contain(&servers, "c:3"));
}
END_TEST

START_TEST(an_endpoint_is_stripped)
{
    fill("http://10.0.0.1:9876");
    ck_assert(name_servers_contain(&servers, "10.0.0.1:9876"));
}
END_TEST

START_TEST(a_wrong_list_changes_nothing)
{
    mqc_error error;
    fill("a:1;b:2");
    static const char *const wrong[] = {"", " ; ", "a", "a:1;b:99999", "a:1;:2"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        bool changed = false;
        ck_assert_int_eq(name_servers_set(&servers, wrong[i], &changed, &error), MQC_BAD_ARGUMENT);
        ck_assert(!changed);
    }
    ck_assert_uint_eq(name_servers_count(&servers), 2);
}
END_TEST

START_TEST(failure_goes_on_to_the_next_and_round_again)
{
    fill("a:1;b:2;c:3");
    char first[ADDRESS_TEXT_BYTES], now[ADDRESS_TEXT_BYTES];
    ck_assert(name_servers_chosen(&servers, first));
    for (int i = 0; i < 3; i++) {
        ck_assert(name_servers_chosen(&servers, now));
        if (i > 0) ck_assert_str_ne(now, first);
        name_servers_failed(&servers, now);
    }
    ck_assert(name_servers_chosen(&servers, now));
    ck_assert_str_eq(now, first);
    name_servers_failed(&servers, "b:999"); /* not the chosen one: somebody else went on already */
    ck_assert(name_servers_chosen(&servers, now));
    ck_assert_str_eq(now, first);
}
END_TEST

START_TEST(a_failure_is_news_once)
{
    fill("a:1;b:2");
    ck_assert(name_servers_failed(&servers, "a:1"));
    ck_assert(!name_servers_failed(&servers, "a:1"));
    ck_assert(name_servers_failed(&servers, "b:2"));
    name_servers_answered(&servers, "a:1");
    ck_assert(name_servers_failed(&servers, "a:1"));
    ck_assert(!name_servers_failed(&servers, "b:2"));
    ck_assert(!name_servers_failed(&servers, "c:3")); /* no longer in the list */
}
END_TEST

START_TEST(the_chosen_one_survives_a_new_list_that_has_it)
{
    bool changed;
    fill("a:1;b:2");
    char chosen[ADDRESS_TEXT_BYTES], now[ADDRESS_TEXT_BYTES], list[3 * ADDRESS_TEXT_BYTES];
    ck_assert(name_servers_chosen(&servers, chosen));
    ck_assert_int_eq(name_servers_set(&servers, "b:2;a:1", &changed, NULL), MQC_OK);
    ck_assert(!changed);
    snprintf(list, sizeof list, "x:1;y:2;%s", chosen);
    ck_assert_int_eq(name_servers_set(&servers, list, &changed, NULL), MQC_OK);
    ck_assert(changed);
    ck_assert(name_servers_chosen(&servers, now));
    ck_assert_str_eq(now, chosen);
    ck_assert_int_eq(name_servers_set(&servers, "z:1", &changed, NULL), MQC_OK);
    ck_assert(changed);
    ck_assert(name_servers_chosen(&servers, now));
    ck_assert_str_eq(now, "z:1");
}
END_TEST

START_TEST(urls_are_javas)
{
    char url[256];
    name_servers_url("jmenv.example", NULL, url, sizeof url);
    ck_assert_str_eq(url, "http://jmenv.example:8080/rocketmq/nsaddr");
    name_servers_url("127.0.0.1:81", "blue", url, sizeof url);
    ck_assert_str_eq(url, "http://127.0.0.1:81/rocketmq/nsaddr-blue?nofix=1");
    name_servers_url("https://h/list", NULL, url, sizeof url);
    ck_assert_str_eq(url, "https://h/list");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("name_servers");
    UNIT_CASE(suite, "list", a_list_is_split_and_trimmed, an_endpoint_is_stripped,
              a_wrong_list_changes_nothing);
    UNIT_CASE(suite, "choice", failure_goes_on_to_the_next_and_round_again, a_failure_is_news_once,
              the_chosen_one_survives_a_new_list_that_has_it);
    UNIT_CASE(suite, "url", urls_are_javas);
    return suite;
}

TEST_MAIN(suite)
