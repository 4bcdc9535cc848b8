/* Damaged files of offsets: reported, set aside, and the backup used. */
#include "test/unit/consumer/offset_files.h"

START_TEST(test_backup_is_the_file_before)
{
    save_offset(1);
    ck_assert(!exists("offsets.json.bak"));
    save_offset(2);
    save_offset(3);
    ck_assert_int_eq(saved_offset(&QUEUE), 3);
    ck_assert_int_eq(unlink(path_of("offsets.json")), 0);
    ck_assert_int_eq(saved_offset(&QUEUE), 2);
    save_offset(4); /* no backup of a file that is not there */
    ck_assert_int_eq(unlink(path_of("offsets.json")), 0);
    ck_assert_int_eq(saved_offset(&QUEUE), 2);
}
END_TEST

START_TEST(test_damaged_file_is_set_aside)
{
    static const char *const DAMAGED[] = {
        "",
        "\n",
        "garbage",
        "{}",
        "null",
        "{\"offsetTable\":{{\"topic\":\"orders\"}:3}}",
        "{\"offsetTable\":{{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"orders\"}:-3}}",
    };
    for (size_t i = 0; i < sizeof DAMAGED / sizeof *DAMAGED; i++) {
        remove_root();
        save_offset(10);
        save_offset(11);
        write_file("offsets.json", slice_text(DAMAGED[i]));
        ck_assert_msg(saved_offset(&QUEUE) == 10, "backup of \"%s\"", DAMAGED[i]);
        ck_assert_ptr_nonnull(strstr(reported, "/offsets.json is damaged, and renamed to "));
        ck_assert(!exists("offsets.json"));
        ck_assert(slice_is(read_file("offsets.json.damaged"), DAMAGED[i]));
        save_offset(12);
        ck_assert_int_eq(saved_offset(&QUEUE), 12);
    }
}
END_TEST

START_TEST(test_every_cut_is_damage)
{
    struct offset_file *file = open_file();
    put(file, &QUEUE, 7);
    put(file, &OTHER, 123);
    save(file);
    offset_file_close(file);
    struct slice whole = read_file("offsets.json");
    char text[8192];
    memcpy(text, whole.data, whole.size);
    for (size_t size = 0; size < whole.size; size++) {
        write_file("offsets.json", slice_of(text, size));
        ck_assert_int_eq(saved_offset(&QUEUE), -1);
        ck_assert_int_eq(saved_offset(&OTHER), -1);
        ck_assert_ptr_nonnull(strstr(reported, "no offsets can be read"));
    }
}
END_TEST

START_TEST(test_both_damaged)
{
    write_file("offsets.json", SLICE_LITERAL("{"));
    write_file("offsets.json.bak", SLICE_LITERAL("}"));
    ck_assert_int_eq(saved_offset(&QUEUE), -1);
    ck_assert(slice_is(read_file("offsets.json.damaged"), "{"));
    ck_assert(slice_is(read_file("offsets.json.bak.damaged"), "}"));
    save_offset(5);
    ck_assert_int_eq(saved_offset(&QUEUE), 5);
}
END_TEST

/* A file that is there and cannot be read is no reason to begin anew. */
START_TEST(test_unreadable_is_an_error)
{
    struct offset_file *file = NULL;
    char command[512];
    snprintf(command, sizeof command, "mkdir -p '%s'", path_of("offsets.json"));
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(offset_file_open(folder, &file, &error), MQC_SYSTEM);
    ck_assert_ptr_nonnull(strstr(error.text, "offsets.json: Is a directory"));
}
END_TEST

static Suite *suite(void)
{
    static const TTest *const *const ALL[] = {
        &test_backup_is_the_file_before, &test_damaged_file_is_set_aside, &test_every_cut_is_damage,
        &test_both_damaged, &test_unreadable_is_an_error};
    const TTest *tests[sizeof ALL / sizeof *ALL];
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) tests[i] = *ALL[i];
    return offset_files_suite("offset_damage", tests, sizeof ALL / sizeof *ALL);
}

TEST_MAIN(suite)
