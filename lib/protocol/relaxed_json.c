/* fastjson's dialect made into standard JSON for jansson; pure functions, any thread. Called by the
 * decoders of bodies.
 *
 * The rewriter walks over the text once, checks it, and copies only where something must change:
 * text that is standard already goes to jansson as it is. */
#include "lib/protocol/relaxed_json.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"

enum {
    NESTING_MAX = 64,
    KEY_COST = 16 /* an object as key counts as so many levels: each doubles its escapes */
};

struct rewriter {
    const char *begin, *at, *end;
    const char *copied; /* everything before it is in `out` */
    struct buffer out;
    const char *wrong; /* what is wrong at `at` */
};

static bool rewrite_value(struct rewriter *rewriter, int depth);
static bool rewrite_string(struct rewriter *rewriter);
static void copy_until(struct rewriter *rewriter, const char *end);

static mqc_status load(struct slice json, const char *what, json_t **out, mqc_error *error)
{
    json_error_t detail;
    *out = json_loadb(json.data ? json.data : "", json.size, JSON_ALLOW_NUL, &detail);
    if (*out) return MQC_OK;
    if (json_error_code(&detail) == json_error_out_of_memory) return error_no_memory(error);
    return error_set(error, MQC_BAD_FRAME, "%s: not JSON: %s near byte %d", what, detail.text,
                     detail.position);
}

mqc_status relaxed_json_parse(struct slice text, const char *what, json_t **out, mqc_error *error)
{
    *out = NULL;
    const char *begin = text.data ? text.data : "";
    struct rewriter rewriter = {
        .begin = begin, .at = begin, .end = begin + text.size, .copied = begin};
    buffer_init(&rewriter.out);
    mqc_status status;
    if (!rewrite_value(&rewriter, 0) || rewriter.at < rewriter.end) {
        const char *wrong = rewriter.wrong ? rewriter.wrong : "more text behind the end";
        status = rewriter.out.failed
                     ? error_no_memory(error)
                     : error_set(error, MQC_BAD_FRAME, "%s: not JSON: %s at byte %zu of %zu", what,
                                 wrong, (size_t)(rewriter.at - begin), text.size);
    } else if (rewriter.copied == begin) {
        status = load(text, what, out, error);
    } else {
        copy_until(&rewriter, rewriter.end);
        status = rewriter.out.failed ? error_no_memory(error)
                                     : load(buffer_slice(&rewriter.out), what, out, error);
    }
    buffer_done(&rewriter.out);
    return status;
}

/* ---- the rewriter: each function begins at its first character and ends behind its last ---- */

static bool wrong(struct rewriter *rewriter, const char *what)
{
    if (!rewriter->wrong) rewriter->wrong = what;
    return false;
}

static void copy_until(struct rewriter *rewriter, const char *end)
{
    buffer_put(&rewriter->out, rewriter->copied, (size_t)(end - rewriter->copied));
    rewriter->copied = end;
}

/* The next character that is no blank, 0 at the end. */
static char peek(struct rewriter *rewriter)
{
    for (; rewriter->at < rewriter->end; rewriter->at++) {
        char c = *rewriter->at;
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return c;
    }
    return '\0';
}

static bool skip_word(struct rewriter *rewriter, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(rewriter->end - rewriter->at) < size || memcmp(rewriter->at, word, size) != 0)
        return wrong(rewriter, "no value");
    rewriter->at += size;
    return true;
}

/* Which characters may stand where is left to jansson. `otherwise`: what is wrong if there are
 * none.
 */
static bool skip_number(struct rewriter *rewriter, const char *otherwise)
{
    const char *start = rewriter->at;
    while (rewriter->at < rewriter->end && *rewriter->at &&
           strchr("+-.0123456789Ee", *rewriter->at))
        rewriter->at++;
    return rewriter->at > start || wrong(rewriter, otherwise);
}

/* A member's name that is a number: gets the quotes it lacks. */
static bool rewrite_number_key(struct rewriter *rewriter)
{
    copy_until(rewriter, rewriter->at);
    buffer_put_8(&rewriter->out, '"');
    if (!skip_number(rewriter, "no member name")) return false;
    copy_until(rewriter, rewriter->at);
    buffer_put_8(&rewriter->out, '"');
    return true;
}

/* A member's name that is an object: its standard JSON becomes a string. */
static bool rewrite_object_key(struct rewriter *rewriter, int depth)
{
    copy_until(rewriter, rewriter->at);
    size_t mark = rewriter->out.size;
    if (!rewrite_value(rewriter, depth + KEY_COST)) return false;
    copy_until(rewriter, rewriter->at);
    if (rewriter->out.failed) return false;
    size_t size = rewriter->out.size - mark;
    char *key = memory_copy(rewriter->out.data + mark, size);
    if (!key) {
        rewriter->out.failed = true;
        return false;
    }
    buffer_truncate(&rewriter->out, mark);
    json_put_text(&rewriter->out, slice_of(key, size));
    memory_free(key);
    return true;
}

static bool rewrite_member(struct rewriter *rewriter, int depth)
{
    bool good;
    switch (peek(rewriter)) {
    case '"': good = rewrite_string(rewriter); break;
    case '{': good = rewrite_object_key(rewriter, depth); break;
    default: good = rewrite_number_key(rewriter);
    }
    if (!good) return false;
    if (peek(rewriter) != ':') return wrong(rewriter, "no ':' behind a member name");
    rewriter->at++;
    return rewrite_value(rewriter, depth);
}

/* An object or an array. */
static bool rewrite_container(struct rewriter *rewriter, int depth, bool object)
{
    char close = object ? '}' : ']';
    if (depth > NESTING_MAX) return wrong(rewriter, "nested too deeply");
    rewriter->at++;
    if (peek(rewriter) == close) {
        rewriter->at++;
        return true;
    }
    for (;;) {
        bool good = object ? rewrite_member(rewriter, depth) : rewrite_value(rewriter, depth);
        if (!good) return false;
        char c = peek(rewriter);
        if (c != ',' && c != close)
            return wrong(rewriter, object ? "no ',' or '}'" : "no ',' or ']'");
        rewriter->at++;
        if (c == close) return true;
    }
}

static bool rewrite_value(struct rewriter *rewriter, int depth)
{
    bool good;
    switch (peek(rewriter)) {
    case '{': good = rewrite_container(rewriter, depth + 1, true); break;
    case '[': good = rewrite_container(rewriter, depth + 1, false); break;
    case '"': good = rewrite_string(rewriter); break;
    case 't': good = skip_word(rewriter, "true"); break;
    case 'f': good = skip_word(rewriter, "false"); break;
    case 'n': good = skip_word(rewriter, "null"); break;
    default: good = skip_number(rewriter, "no value");
    }
    if (good && depth == 0) peek(rewriter);
    return good && !rewriter->out.failed;
}

static void put_control(struct buffer *out, char c)
{
    static const char digits[] = "0123456789abcdef";
    const char escape[] = {'\\', 'u', '0', '0', digits[(c >> 4) & 1], digits[c & 15]};
    buffer_put(out, escape, sizeof escape);
}

static bool rewrite_string(struct rewriter *rewriter)
{
    for (rewriter->at++; rewriter->at < rewriter->end; rewriter->at++) {
        char c = *rewriter->at;
        if (c == '"') {
            rewriter->at++;
            return true;
        }
        if (c == '\\' && rewriter->end - rewriter->at > 1) {
            rewriter->at++; /* what follows is jansson's to judge */
        } else if ((unsigned char)c < ' ') {
            copy_until(rewriter, rewriter->at);
            put_control(&rewriter->out, c);
            rewriter->copied++;
        }
    }
    return wrong(rewriter, "a string that does not end");
}

/* ---- reading members ---- */

const char *relaxed_json_text(const json_t *object, const char *name, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : fallback;
}

int64_t relaxed_json_number(const json_t *object, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(object, name);
    int64_t number = fallback;
    if (json_is_integer(value)) return json_integer_value(value);
    if (json_is_string(value))
        slice_to_int64(slice_of(json_string_value(value), json_string_length(value)), &number);
    if (json_is_real(value)) {
        double real = json_real_value(value);
        if (real > -0x1p63 && real < 0x1p63) number = (int64_t)real;
    }
    return number;
}

bool relaxed_json_bool(const json_t *object, const char *name, bool fallback)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_boolean(value)) return json_is_true(value);
    if (json_is_string(value))
        return slice_to_bool(slice_of(json_string_value(value), json_string_length(value)));
    return fallback;
}

/* ---- writing ---- */

static void put_escaped(struct buffer *out, char c)
{
    switch (c) {
    case '"': buffer_put(out, "\\\"", 2); break;
    case '\\': buffer_put(out, "\\\\", 2); break;
    case '\n': buffer_put(out, "\\n", 2); break;
    case '\r': buffer_put(out, "\\r", 2); break;
    case '\t': buffer_put(out, "\\t", 2); break;
    default: put_control(out, c);
    }
}

void json_put_text(struct buffer *out, struct slice text)
{
    buffer_put_8(out, '"');
    size_t copied = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if ((unsigned char)c >= ' ' && c != '"' && c != '\\') continue;
        buffer_put(out, text.data + copied, i - copied);
        put_escaped(out, c);
        copied = i + 1;
    }
    buffer_put(out, text.data ? text.data + copied : NULL, text.size - copied);
    buffer_put_8(out, '"');
}
