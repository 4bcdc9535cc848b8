/* Reading and writing a broker's settings: see broker_settings.h. */
#include "lib/embedded/broker_settings.h"

#include "lib/base/error.h"

enum kind { KIND_BOOL, KIND_NUMBER, KIND_PERCENT };

static const struct setting {
    const char *name;
    enum kind kind;
    size_t place; /* in the struct */
} SETTINGS[] = {
#define SETTING(kind, member, name, fallback)                                                      \
    {name, KIND_##kind, offsetof(struct broker_settings, member)},
#include "lib/embedded/broker_settings.def"
#undef SETTING
};
enum { SETTING_COUNT = sizeof SETTINGS / sizeof *SETTINGS };

void broker_settings_init(struct broker_settings *settings)
{
    *settings = (struct broker_settings){
#define SETTING(kind, member, name, fallback) .member = (fallback),
#include "lib/embedded/broker_settings.def"
#undef SETTING
    };
}

static const struct setting *find(struct slice name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (slice_is(name, SETTINGS[i].name)) return &SETTINGS[i];
    return NULL;
}

static mqc_status set(struct broker_settings *settings, const struct setting *setting,
                      struct slice value, mqc_error *error)
{
    char *place = (char *)settings + setting->place;
    int64_t number;
    if (setting->kind == KIND_BOOL) {
        if (!slice_is(value, "true") && !slice_is(value, "false"))
            return error_set(error, MQC_BAD_ARGUMENT, "%s is \"%.*s\", must be true or false",
                             setting->name, SLICE_FORMAT(value));
        *(bool *)place = slice_is(value, "true");
    } else if (setting->kind == KIND_PERCENT) {
        if (!slice_to_int64(value, &number) || number < 0 || number > 100)
            return error_set(error, MQC_BAD_ARGUMENT, "%s is \"%.*s\", must be 0 to 100",
                             setting->name, SLICE_FORMAT(value));
        memcpy(place, &number, sizeof number);
    } else {
        if (!slice_to_int64(value, &number) || number < 1 || number > INT32_MAX)
            return error_set(error, MQC_BAD_ARGUMENT,
                             "%s is \"%.*s\", must be a whole number above 0", setting->name,
                             SLICE_FORMAT(value));
        memcpy(place, &number, sizeof number);
    }
    return MQC_OK;
}

static mqc_status read_line(struct broker_settings *settings, struct slice line, bool strict,
                            mqc_error *error)
{
    struct slice value = slice_trim(line);
    if (value.size == 0 || *value.data == '#') return MQC_OK;
    struct slice name = slice_trim(slice_split(&value, "="));
    const struct setting *setting = find(name);
    if (setting && value.data) return set(settings, setting, slice_trim(value), error);
    if (!strict) return MQC_OK;
    struct buffer known;
    buffer_init(&known);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        buffer_put_format(&known, "%s%s", i ? ", " : "", SETTINGS[i].name);
    mqc_status status =
        error_set(error, MQC_BAD_ARGUMENT, "setting \"%.*s\": lines name=value are needed, of %.*s",
                  SLICE_FORMAT(name), SLICE_FORMAT(buffer_slice(&known)));
    buffer_done(&known);
    return status;
}

mqc_status broker_settings_read(struct broker_settings *settings, struct slice text, bool strict,
                                mqc_error *error)
{
    struct broker_settings changed = *settings;
    while (text.data) {
        mqc_status status = read_line(&changed, slice_split(&text, "\n"), strict, error);
        if (status != MQC_OK) return status;
    }
    *settings = changed;
    return MQC_OK;
}

void broker_settings_write(const struct broker_settings *settings, struct buffer *out)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *place = (const char *)settings + SETTINGS[i].place;
        int64_t number = 0;
        buffer_put_format(out, "%s=", SETTINGS[i].name);
        if (SETTINGS[i].kind == KIND_BOOL) {
            buffer_put_text(out, *(const bool *)place ? "true\n" : "false\n");
        } else {
            memcpy(&number, place, sizeof number);
            buffer_put_decimal(out, number);
            buffer_put_8(out, '\n');
        }
    }
}
