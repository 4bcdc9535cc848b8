/* What the tests of offset files share: a folder for each test, and files in it. */
#ifndef TEST_OFFSET_FILES_H
#define TEST_OFFSET_FILES_H

#include <errno.h>
#include <mqclient/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/consumer/offset_file.h"
#include "test/unit/unit.h"

static char root[64], folder[128];
static mqc_error error;
static const mqc_message_queue QUEUE = {"orders", "broker-a", 0};
static const mqc_message_queue OTHER = {"orders", "broker-a", 1};

/* Damage is reported: the last error of the log. */
static char reported[512];
static inline void report(const mqc_log_line *line, void *arg)
{
    (void)arg;
    snprintf(reported, sizeof reported, "%s", line->text);
}

static inline void make_root(void)
{
    mqc_log_to(report, NULL, MQC_LOG_ERROR);
    reported[0] = '\0';
    snprintf(root, sizeof root, "/tmp/mqc-offsets-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(folder, sizeof folder, "%s/client/group", root);
}

static inline void remove_root(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

static inline const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline bool exists(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static inline void write_file(const char *name, struct slice text)
{
    char command[256];
    snprintf(command, sizeof command, "mkdir -p '%s'", folder);
    ck_assert_int_eq(system(command), 0);
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text.data, 1, text.size, file), text.size);
    ck_assert_int_eq(fclose(file), 0);
}

static inline struct slice read_file(const char *name)
{
    static char text[8192];
    FILE *file = fopen(path_of(name), "r");
    ck_assert_msg(file != NULL, "%s: %s", path_of(name), strerror(errno));
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    return slice_of(text, size);
}

static inline struct offset_file *open_file(void)
{
    struct offset_file *file = NULL;
    ck_assert_msg(offset_file_open(folder, &file, &error) == MQC_OK, "%s", error.text);
    return file;
}

static inline void put(struct offset_file *file, const mqc_message_queue *queue, int64_t offset)
{
    ck_assert_int_eq(offset_file_put(file, queue, offset, &error), MQC_OK);
}

static inline void save(struct offset_file *file)
{
    ck_assert_msg(offset_file_save(file, &error) == MQC_OK, "%s", error.text);
}

/* Puts, saves and closes. */
static inline void save_offset(int64_t offset)
{
    struct offset_file *file = open_file();
    put(file, &QUEUE, offset);
    save(file);
    offset_file_close(file);
}

static inline int64_t saved_offset(const mqc_message_queue *queue)
{
    struct offset_file *file = open_file();
    int64_t offset = offset_file_get(file, queue);
    offset_file_close(file);
    return offset;
}

/* A suite of tests that each have a folder. */
static inline Suite *offset_files_suite(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create("file");
    tcase_add_checked_fixture(tcase, make_root, remove_root);
    tcase_set_timeout(tcase, 60);
    for (size_t i = 0; i < count; i++) tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    return suite;
}

#endif
