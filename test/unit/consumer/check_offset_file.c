/* The file of a broadcasting consumer's offsets: Java's own format, whole whatever happens, and
 * what becomes of files that are not. */
#include "lib/consumer/offset_file.h"

#include <errno.h>
#include <fcntl.h>
#include <mqclient/log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

static char root[64], folder[128];
static mqc_error error;
static const mqc_message_queue QUEUE = {"orders", "broker-a", 0};
static const mqc_message_queue OTHER = {"orders", "broker-a", 1};

/* Damage is reported: the last error of the log. */
static char reported[512];
static void report(const mqc_log_line *line, void *arg)
{
    (void)arg;
    snprintf(reported, sizeof reported, "%s", line->text);
}

static void make_root(void)
{
    mqc_log_to(report, NULL, MQC_LOG_ERROR);
    reported[0] = '\0';
    snprintf(root, sizeof root, "/tmp/mqc-offsets-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(folder, sizeof folder, "%s/client/group", root);
}

static void remove_root(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static bool exists(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void write_file(const char *name, struct slice text)
{
    char command[256];
    snprintf(command, sizeof command, "mkdir -p '%s'", folder);
    ck_assert_int_eq(system(command), 0);
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text.data, 1, text.size, file), text.size);
    ck_assert_int_eq(fclose(file), 0);
}

static struct slice read_file(const char *name)
{
    static char text[8192];
    FILE *file = fopen(path_of(name), "r");
    ck_assert_msg(file != NULL, "%s: %s", path_of(name), strerror(errno));
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    return slice_of(text, size);
}

static struct offset_file *open_file(void)
{
    struct offset_file *file = NULL;
    ck_assert_msg(offset_file_open(folder, &file, &error) == MQC_OK, "%s", error.text);
    return file;
}

static void put(struct offset_file *file, const mqc_message_queue *queue, int64_t offset)
{
    ck_assert_int_eq(offset_file_put(file, queue, offset, &error), MQC_OK);
}

static void save(struct offset_file *file)
{
    ck_assert_msg(offset_file_save(file, &error) == MQC_OK, "%s", error.text);
}

/* Puts, saves and closes. */
static void save_offset(int64_t offset)
{
    struct offset_file *file = open_file();
    put(file, &QUEUE, offset);
    save(file);
    offset_file_close(file);
}

static int64_t saved_offset(const mqc_message_queue *queue)
{
    struct offset_file *file = open_file();
    int64_t offset = offset_file_get(file, queue);
    offset_file_close(file);
    return offset;
}

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

/* ---- damage ---- */

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

static Suite *offset_file_suite(void)
{
    Suite *suite = suite_create("offset_file");
    TCase *tcase = tcase_create("file");
    static const TTest *const *const TESTS[] = {
        &test_java_file_is_read,
        &test_written_as_java_does,
        &test_where,
        &test_one_at_a_time,
        &test_no_folder_possible,
        &test_backup_is_the_file_before,
        &test_every_cut_is_damage,
        &test_damaged_file_is_set_aside,
        &test_both_damaged,
        &test_unreadable_is_an_error,
        &test_unchanged_is_not_written,
        &test_full_disk,
        &test_folder_that_was_removed,
        &test_no_memory,
        &test_killed,
    };
    tcase_add_checked_fixture(tcase, make_root, remove_root);
    tcase_set_timeout(tcase, 60);
    for (size_t i = 0; i < sizeof TESTS / sizeof *TESTS; i++) tcase_add_test(tcase, *TESTS[i]);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(offset_file_suite)
