/* Tests of lib/base/list: order, removal in the middle of a walk, moving. */
#include "lib/base/list.h"

#include "test/unit/unit.h"

struct item {
    char name;
    struct link link;
};

/* The names in order, checked in both directions. */
static const char *names(const struct link *list)
{
    static char text[32];
    size_t count = 0;
    LIST_EACH(list, link)
    {
        text[count++] = CONTAINER_OF(link, struct item, link)->name;
        ck_assert_ptr_eq(link->next->previous, link);
        ck_assert_ptr_eq(link->previous->next, link);
    }
    text[count] = '\0';
    return text;
}

static void fill(struct link *list, struct item *items, const char *text)
{
    list_init(list);
    for (; *text; text++, items++) {
        items->name = *text;
        list_append(list, &items->link);
    }
}

START_TEST(first_in_first_out)
{
    struct link list;
    struct item items[3];
    fill(&list, items, "abc");
    ck_assert_str_eq(names(&list), "abc");
    ck_assert_ptr_eq(list_take_first(&list), &items[0].link);
    ck_assert_ptr_eq(list_take_first(&list), &items[1].link);
    ck_assert(!list_empty(&list));
    ck_assert_ptr_eq(list_take_first(&list), &items[2].link);
    ck_assert(list_empty(&list));
    ck_assert_ptr_null(list_take_first(&list));
}
END_TEST

START_TEST(removal_twice_is_harmless)
{
    struct link list;
    struct item items[3];
    fill(&list, items, "abc");
    list_remove(&items[1].link);
    list_remove(&items[1].link);
    ck_assert_str_eq(names(&list), "ac");
    list_insert_before(&items[0].link, &items[1].link);
    ck_assert_str_eq(names(&list), "bac");
}
END_TEST

START_TEST(a_walk_survives_removals)
{
    struct link list;
    struct item items[4];
    fill(&list, items, "abcd");
    int seen = 0;
    LIST_EACH_SAFE(&list, link)
    {
        seen++;
        list_remove(link);
    }
    ck_assert_int_eq(seen, 4);
    ck_assert(list_empty(&list));
}
END_TEST

START_TEST(moving_appends_all_in_order)
{
    struct link to, from;
    struct item some[2], more[3];
    fill(&to, some, "ab");
    fill(&from, more, "cde");
    list_move_all(&to, &from);
    ck_assert_str_eq(names(&to), "abcde");
    ck_assert(list_empty(&from));
    list_move_all(&to, &from); /* nothing */
    ck_assert_str_eq(names(&to), "abcde");
    list_move_all(&from, &to); /* to an empty list */
    ck_assert_str_eq(names(&from), "abcde");
    ck_assert(list_empty(&to));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/list");
    UNIT_CASE(s, "list", first_in_first_out, removal_twice_is_harmless, a_walk_survives_removals,
              moving_appends_all_in_order);
    return s;
}

TEST_MAIN(suite)
