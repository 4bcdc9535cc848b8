/* The file of a broadcasting consumer's offsets: Java's own format, and whole whatever happens. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/memory.h"
#include "test/unit/consumer/offset_files.h"

/* ---- as Java ---- */

START_TEST(test_java_file_is_read)
{
    write_file("offsets.json", golden_text("java_offsets.json"));
    struct offset_file *file = open_file();
    ck_assert_int_eq(offset_file_get(file, &(mqc_message_queue){"orders", "broker-a", 0}), 0);
    ck_assert_int_eq(offset_file_get(file, &(mqc_message_queue){"orders", "broker-a", 1}),
                     9007199254740993);
    ck_assert_int_eq(
        offset_file_get(file, &(mqc_message_queue){"orders", "br\xC3\xB6ker-\"b\"", 12}),
        INT64_MAX);
    ck_assert_int_eq(offset_file_get(file, &(mqc_message_queue){"ns%returns", "broker-a", 7}), 42);
    ck_assert_int_eq(offset_file_get(file, &(mqc_message_queue){"orders", "broker-a", 2}), -1);
    offset_file_close(file);
}
END_TEST

/* What test/interop/golden read-offsets has been seen to read. */
START_TEST(test_written_as_java_does)
{
    struct offset_file *file = open_file();
    put(file, &OTHER, 9007199254740993);
    put(file, &QUEUE, 7);
    put(file, &(mqc_message_queue){"b\"q", "broker-a", 3}, 1);
    save(file);
    offset_file_close(file);
    ck_assert_slice(read_file("offsets.json"),
                    "{\n\t\"offsetTable\":{\n"
                    "\t\t{\n\t\t\t\"brokerName\":\"broker-a\",\n\t\t\t\"queueId\":3,\n"
                    "\t\t\t\"topic\":\"b\\\"q\"\n\t\t}:1,\n"
                    "\t\t{\n\t\t\t\"brokerName\":\"broker-a\",\n\t\t\t\"queueId\":0,\n"
                    "\t\t\t\"topic\":\"orders\"\n\t\t}:7,\n"
                    "\t\t{\n\t\t\t\"brokerName\":\"broker-a\",\n\t\t\t\"queueId\":1,\n"
                    "\t\t\t\"topic\":\"orders\"\n\t\t}:9007199254740993\n"
                    "\t}\n}");
    ck_assert_int_eq(saved_offset(&OTHER), 9007199254740993);
}
END_TEST

/* ---- folders ---- */

static void check_folder(const char *path, const mqc_client_options *client, const char *expected)
{
    char *made;
    ck_assert_msg(offset_file_folder(path, "group", client, &made, &error) == MQC_OK, "%s",
                  error.text);
    ck_assert_str_eq(made, expected);
    memory_free(made);
}

START_TEST(test_where)
{
    mqc_client_options client = {.client_ip = "10.1.2.3"};
    char *made;
    setenv("HOME", "/home/somebody", 1);
    check_folder(NULL, &client, "/home/somebody/.rocketmq_offsets/10.1.2.3@DEFAULT/group");
    client.instance_name = "second";
    client.unit_name = "unit";
    check_folder(NULL, &client, "/home/somebody/.rocketmq_offsets/10.1.2.3@second@unit/group");
    check_folder("/var/lib/shop", &client, "/var/lib/shop/group");
    client.instance_name = "../second";
    ck_assert_int_eq(offset_file_folder(NULL, "group", &client, &made, &error), MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "give offsetStorePath (offset_store_path)"));
    unsetenv("HOME");
    ck_assert_int_eq(offset_file_folder(NULL, "group", &client, &made, &error), MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "$HOME is not set"));
    check_folder("here", &client, "here/group");
}
END_TEST

START_TEST(test_one_at_a_time)
{
    struct offset_file *file = open_file(), *second = NULL;
    ck_assert_int_eq(offset_file_open(folder, &second, &error), MQC_BUSY);
    ck_assert_ptr_nonnull(strstr(error.text, "is in use by another consumer"));
    ck_assert(error.retryable);
    offset_file_close(file);
    offset_file_close(open_file());
}
END_TEST

START_TEST(test_no_folder_possible)
{
    struct offset_file *file = NULL;
    snprintf(folder, sizeof folder, "%s/file/group", root);
    char command[128];
    snprintf(command, sizeof command, "touch '%s/file'", root);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(offset_file_open(folder, &file, &error), MQC_SYSTEM);
    char expected[256];
    snprintf(expected, sizeof expected, "make the folder %s/: Not a directory", folder);
    ck_assert_str_eq(error.text, expected);
}
END_TEST

/* ---- writing ---- */

START_TEST(test_unchanged_is_not_written)
{
    struct stat before, after;
    struct offset_file *file = open_file();
    save(file);
    ck_assert(!exists("offsets.json"));
    put(file, &QUEUE, 1);
    save(file);
    ck_assert_int_eq(stat(path_of("offsets.json"), &before), 0);
    put(file, &QUEUE, 1);
    save(file);
    ck_assert_int_eq(stat(path_of("offsets.json"), &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    ck_assert(!exists("offsets.json.bak"));
    offset_file_close(file);
}
END_TEST

START_TEST(test_full_disk)
{
    struct offset_file *file = open_file();
    put(file, &QUEUE, 1);
    save(file);
    put(file, &QUEUE, 2);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit, little = {10, RLIM_INFINITY};
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    little.rlim_max = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    ck_assert_int_eq(offset_file_save(file, &error), MQC_SYSTEM);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_msg(strstr(error.text, "offsets.json.new: File too large"), "%s", error.text);
    ck_assert(!exists("offsets.json.new"));
    struct slice text = read_file("offsets.json");
    ck_assert_ptr_nonnull(memmem(text.data, text.size, "}:1", 3));
    save(file); /* and then there is room again */
    offset_file_close(file);
    ck_assert_int_eq(saved_offset(&QUEUE), 2);
}
END_TEST

START_TEST(test_folder_that_was_removed)
{
    struct offset_file *file = open_file();
    put(file, &QUEUE, 1);
    save(file);
    put(file, &OTHER, 5);
    remove_root();
    save(file);
    put(file, &QUEUE, 2);
    save(file);
    struct offset_file *second = NULL;
    ck_assert_int_eq(offset_file_open(folder, &second, &error), MQC_BUSY);
    offset_file_close(file);
    ck_assert_int_eq(saved_offset(&QUEUE), 2);
    ck_assert_int_eq(saved_offset(&OTHER), 5);
}
END_TEST

START_TEST(test_no_memory)
{
    mqc_status status = MQC_NO_MEMORY;
    save_offset(3);
    long live = memory_live_blocks();
    for (long nth = 1; status != MQC_OK; nth++) {
        struct offset_file *file = NULL;
        memory_fail_from(nth);
        status = offset_file_open(folder, &file, &error);
        if (status == MQC_OK) status = offset_file_put(file, &OTHER, nth, &error);
        if (status == MQC_OK) status = offset_file_save(file, &error);
        memory_fail_from(0);
        if (status != MQC_OK) ck_assert_int_eq(status, MQC_NO_MEMORY);
        offset_file_close(file);
        ck_assert_int_eq(memory_live_blocks(), live);
        ck_assert_int_eq(saved_offset(&QUEUE), 3);
        ck_assert(!exists("offsets.json.damaged"));
        ck_assert_int_lt(nth, 1000);
    }
    ck_assert_int_gt(saved_offset(&OTHER), 1);
}
END_TEST

/* A process that saves and says so, until it is killed: what it said is there. */
START_TEST(test_killed)
{
    int64_t reached = -1;
    for (int life = 0; life < 10; life++) {
        int said[2];
        ck_assert_int_eq(pipe(said), 0);
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            struct offset_file *file = open_file();
            int64_t offset = offset_file_get(file, &QUEUE);
            if (offset < reached) _exit(1);
            for (;;) {
                put(file, &QUEUE, ++offset);
                save(file);
                if (write(said[1], &offset, sizeof offset) != sizeof offset) _exit(1);
            }
        }
        close(said[1]);
        for (int i = 0; i < 3 + life; i++)
            ck_assert_int_eq(read(said[0], &reached, sizeof reached), sizeof reached);
        kill(child, SIGKILL);
        int result;
        ck_assert_int_eq(waitpid(child, &result, 0), child);
        ck_assert(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL);
        while (read(said[0], &reached, sizeof reached) == sizeof reached) {
        }
        close(said[0]);
        ck_assert(!exists("offsets.json.damaged"));
        int64_t offset = saved_offset(&QUEUE);
        ck_assert(offset == reached || offset == reached + 1);
    }
}
END_TEST

static Suite *suite(void)
{
    static const TTest *const *const ALL[] = {&test_java_file_is_read,
                                              &test_written_as_java_does,
                                              &test_where,
                                              &test_one_at_a_time,
                                              &test_no_folder_possible,
                                              &test_unchanged_is_not_written,
                                              &test_full_disk,
                                              &test_folder_that_was_removed,
                                              &test_no_memory,
                                              &test_killed};
    const TTest *tests[sizeof ALL / sizeof *ALL];
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) tests[i] = *ALL[i];
    return offset_files_suite("offset_file", tests, sizeof ALL / sizeof *ALL);
}

TEST_MAIN(suite)
