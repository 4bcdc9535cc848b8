/* Options by name (mqclient/options.h): a bag filled from name and value or from a file, and poured
 * into option structs. Runs on the caller's thread; called by applications and by the tool. */
#include <errno.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/base/slice.h"
#include "lib/client/option_table.h"
#include "lib/client/options.h"

struct setting {
    bool given;
    int64_t value; /* as the field wants it */
    char *text;    /* of an option of type text */
};

struct mqc_options {
    struct setting settings[OPTION_COUNT];
};

static mqc_status read_lines(mqc_options *options, FILE *file, const char *path, mqc_error *error);
static mqc_status read_line(mqc_options *options, char *line, const char *path, int number,
                            mqc_error *error);
static size_t take(void *whole, size_t known_bytes, const void *given, size_t given_bytes);
static void pour(const mqc_options *options, enum option_role role, void *out);

mqc_options *mqc_options_new(void)
{
    return memory_allocate_zero(1, sizeof(mqc_options));
}

void mqc_options_free(mqc_options *options)
{
    if (!options) return;
    for (size_t i = 0; i < OPTION_COUNT; i++) memory_free_secret(options->settings[i].text);
    memory_free(options);
}

static mqc_status unknown_name(const char *name, mqc_error *error)
{
    const struct option *nearest = option_nearest(name);
    if (nearest)
        return error_set(error, MQC_BAD_ARGUMENT, "there is no option \"%s\": did you mean \"%s\"?",
                         name, nearest->description.name);
    return error_set(error, MQC_BAD_ARGUMENT,
                     "there is no option \"%s\": docs/options.md and mqc_options_each list them",
                     name);
}

mqc_status mqc_options_set(mqc_options *options, const char *name, const char *value,
                           mqc_error *error)
{
    if (!options || !name || !value)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "mqc_options_set was given NULL: give it a bag, a name and a value");
    const struct option *option = option_find(name);
    if (!option) return unknown_name(name, error);
    struct setting setting = {.given = true};
    mqc_status status = option_parse(option, value, &setting.value, error);
    if (status) return status;
    if (option->type == OPTION_TYPE_TEXT) {
        setting.text = memory_duplicate(value);
        if (!setting.text) return error_no_memory(error);
    }
    struct setting *place = &options->settings[option - OPTION_TABLE];
    memory_free_secret(place->text);
    *place = setting;
    return MQC_OK;
}

mqc_status mqc_options_read_file(mqc_options *options, const char *path, mqc_error *error)
{
    if (!options || !path)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "mqc_options_read_file was given NULL: give it a bag and a path");
    FILE *file = fopen(path, "re");
    if (!file) {
        int number = errno;
        char doing[300];
        snprintf(doing, sizeof doing, "options file %s", path);
        return error_system(error, number, doing);
    }
    mqc_status status = read_lines(options, file, path, error);
    fclose(file);
    return status;
}

/* The bytes up to the next newline or the end; false when they are no text that fits. */
static bool take_line(FILE *file, char *line, size_t size)
{
    size_t length = 0;
    for (int byte = getc(file); byte != EOF && byte != '\n'; byte = getc(file)) {
        if (byte == '\0' || length + 1 == size) return false;
        line[length++] = (char)byte;
    }
    line[length] = '\0';
    return true;
}

static mqc_status read_lines(mqc_options *options, FILE *file, const char *path, mqc_error *error)
{
    char line[4096];
    for (int number = 1; !feof(file) && !ferror(file); number++) {
        if (!take_line(file, line, sizeof line))
            return error_set(error, MQC_BAD_ARGUMENT,
                             "%s:%d: the line has a zero byte or more than %zu bytes", path, number,
                             sizeof line - 1);
        mqc_status status = read_line(options, line, path, number, error);
        if (status) return status;
    }
    if (ferror(file)) return error_system(error, errno, path);
    return MQC_OK;
}

/* A zero-ended copy of a part of the line, made in the line itself. */
static char *cut(struct slice part)
{
    char *start = (char *)(uintptr_t)part.data;
    start[part.size] = '\0';
    return start;
}

static mqc_status read_line(mqc_options *options, char *line, const char *path, int number,
                            mqc_error *error)
{
    struct slice rest = slice_trim(slice_text(line));
    if (rest.size == 0 || rest.data[0] == '#' || rest.data[0] == '!') return MQC_OK;
    struct slice name = slice_trim(slice_split(&rest, "="));
    if (!rest.data || name.size == 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%s:%d: write \"name = value\", or begin a comment with #", path, number);
    struct slice value = slice_trim(rest);
    mqc_error inner;
    mqc_status status = slice_begins_with(name, "tls.")
                            ? options_set_java_tls(options, cut(name), cut(value), &inner)
                            : mqc_options_set(options, cut(name), cut(value), &inner);
    if (!status) return MQC_OK;
    return error_set(error, status, "%s:%d: %s", path, number, inner.text);
}

/* Of a caller built with other headers the struct has another size: nothing is written beyond it.
 */
void mqc_options_to_client_sized(const mqc_options *options, mqc_client_options *client,
                                 size_t size)
{
    mqc_client_options whole;
    if (!client) return;
    size = take(&whole, sizeof whole, client, size);
    pour(options, OPTION_ROLE_CLIENT, &whole);
    memcpy(client, &whole, size);
}

void mqc_options_to_producer_sized(const mqc_options *options, mqc_producer_options *producer,
                                   size_t size)
{
    mqc_producer_options whole;
    if (!producer) return;
    size = take(&whole, sizeof whole, producer, size);
    pour(options, OPTION_ROLE_PRODUCER, &whole);
    memcpy(producer, &whole, size);
}

void mqc_options_to_push_consumer_sized(const mqc_options *options,
                                        mqc_push_consumer_options *consumer, size_t size)
{
    mqc_push_consumer_options whole;
    if (!consumer) return;
    size = take(&whole, sizeof whole, consumer, size);
    pour(options, OPTION_ROLE_PUSH_CONSUMER, &whole);
    memcpy(consumer, &whole, size);
}

void mqc_options_to_lite_consumer_sized(const mqc_options *options,
                                        mqc_lite_consumer_options *consumer, size_t size)
{
    mqc_lite_consumer_options whole;
    mqc_push_consumer_options shared;
    if (!consumer) return;
    size = take(&whole, sizeof whole, consumer, size);
    options_lite_to_shared(&whole, &shared);
    pour(options, OPTION_ROLE_PUSH_CONSUMER, &shared);
    options_shared_to_lite(&shared, &whole);
    pour(options, OPTION_ROLE_LITE_CONSUMER, &whole);
    memcpy(consumer, &whole, size);
}

/* What both know of a caller's struct; how many bytes that is. */
static size_t take(void *whole, size_t known_bytes, const void *given, size_t given_bytes)
{
    size_t bytes = given_bytes < known_bytes ? given_bytes : known_bytes;
    memset(whole, 0, known_bytes);
    memcpy(whole, given, bytes);
    return bytes;
}

static void set_field(const struct option *option, const struct setting *setting, void *field)
{
    int number = (int)setting->value;
    bool yes = setting->value != 0;
    const char *text = setting->text;
    switch (option->type) {
    case OPTION_TYPE_TEXT: memcpy(field, &text, sizeof text); break;
    case OPTION_TYPE_YES_NO: memcpy(field, &yes, sizeof yes); break;
    case OPTION_TYPE_TIME: memcpy(field, &setting->value, sizeof setting->value); break;
    case OPTION_TYPE_NUMBER:
    case OPTION_TYPE_CHOICE: memcpy(field, &number, sizeof number); break;
    }
}

static void pour(const mqc_options *options, enum option_role role, void *out)
{
    if (!options) return;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &OPTION_TABLE[i];
        const struct setting *setting = &options->settings[i];
        if (option->role == role && setting->given)
            set_field(option, setting, (char *)out + option->offset);
    }
}

void mqc_options_each(mqc_option_visitor *visit, void *arg)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (!visit(&OPTION_TABLE[i].description, arg)) return;
}
