/* The single-pass scanner for JSON headers. Pure; any thread. Called by json_header.c for every
 * response. It may give up on anything, but what it accepts it reads as jansson does. */
#include "lib/protocol/header_scanner.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "lib/base/memory.h"
#include "lib/protocol/command_fields.h"
#include "lib/protocol/utf8.h"

struct scanner {
    const char *at;
    const char *end;
    struct command_fields fields;
    char *unescaped; /* where the next unescaped string goes; NULL before the first */
    bool no_memory;
};

static bool scan_header(struct scanner *scanner);

enum scan_result header_scan(struct remoting_command *command, struct slice header)
{
    struct scanner scanner = {.at = header.data, .end = header.data + header.size};
    command_fields_begin(&scanner.fields, command);
    if (scan_header(&scanner)) return SCAN_DONE;
    memory_free(command->unescaped);
    command->unescaped = NULL;
    return scanner.no_memory ? SCAN_NO_MEMORY : SCAN_NOT_UNDERSTOOD;
}

static void skip_blanks(struct scanner *scanner)
{
    while (scanner->at < scanner->end && (*scanner->at == ' ' || *scanner->at == '\n' ||
                                          *scanner->at == '\r' || *scanner->at == '\t'))
        scanner->at++;
}

/* Takes `wanted` with any blanks before it. */
static inline bool take(struct scanner *scanner, char wanted)
{
    if (scanner->at == scanner->end) return false;
    if (*scanner->at != wanted) {
        if ((unsigned char)*scanner->at > ' ') return false;
        skip_blanks(scanner);
        if (scanner->at == scanner->end || *scanner->at != wanted) return false;
    }
    scanner->at++;
    return true;
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* The high bit of each byte that is not plain. Behind the first such byte, counted from the lowest,
 * others may be set, too. */
static uint64_t odd_bytes(uint64_t word)
{
    const uint64_t each = UINT64_C(0x0101010101010101), high = each << 7;
    uint64_t quote = word ^ (each * '"'), backslash = word ^ (each * '\\');
    uint64_t low = (word - each * 0x20) & ~word;
    return (word | low | ((quote - each) & ~quote) | ((backslash - each) & ~backslash)) & high;
}

/* Most of a header are characters that stand for themselves: sixteen or eight of them a step. */
static const char *skip_plain(const char *at, const char *end)
{
    uint64_t word;
#if defined(__SSE2__)
    const __m128i quotes = _mm_set1_epi8('"'), backslashes = _mm_set1_epi8('\\'),
                  blanks = _mm_set1_epi8(' ');
    for (; end - at >= 16; at += 16) {
        __m128i some = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* Signed: what is not ASCII is less than a blank, too. */
        __m128i odd = _mm_or_si128(
            _mm_cmplt_epi8(some, blanks),
            _mm_or_si128(_mm_cmpeq_epi8(some, quotes), _mm_cmpeq_epi8(some, backslashes)));
        unsigned mask = (unsigned)_mm_movemask_epi8(odd);
        if (mask) return at + __builtin_ctz(mask);
    }
#endif
    for (; (size_t)(end - at) >= sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        uint64_t odd = odd_bytes(word);
        if (odd) return at + __builtin_ctzll(odd) / 8;
    }
    while (at < end && is_plain(*at)) at++;
    return at;
}

/* The four digits of a \u escape. */
static bool scan_unit(struct scanner *scanner, uint32_t *unit)
{
    if (scanner->end - scanner->at < 4) return false;
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = *scanner->at++;
        char letter = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            *unit = *unit << 4 | (uint32_t)(c - '0');
        else if (letter >= 'a' && letter <= 'f')
            *unit = *unit << 4 | (uint32_t)(letter - 'a' + 10);
        else
            return false;
    }
    return true;
}

static char *put_utf8(char *out, uint32_t code_point)
{
    static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t size = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)(leads[size] | code_point);
    return out + size;
}

/* The character of a \u escape, whose "\u" is taken; half a surrogate pair is not one. */
static bool scan_unicode(struct scanner *scanner, uint32_t *code_point)
{
    uint32_t low;
    if (!scan_unit(scanner, code_point)) return false;
    if (*code_point < 0xD800 || *code_point > 0xDFFF) return true;
    if (*code_point > 0xDBFF || scanner->end - scanner->at < 6 || scanner->at[0] != '\\' ||
        scanner->at[1] != 'u')
        return false;
    scanner->at += 2;
    if (!scan_unit(scanner, &low) || low < 0xDC00 || low > 0xDFFF) return false;
    *code_point = 0x10000 + ((*code_point - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* Takes an escape, whose backslash is next, and writes what it stands for. */
static bool scan_escape(struct scanner *scanner, char **out)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (scanner->end - scanner->at < 2) return false;
    char letter = scanner->at[1];
    scanner->at += 2;
    if (letter == 'u') {
        uint32_t code_point;
        if (!scan_unicode(scanner, &code_point)) return false;
        *out = put_utf8(*out, code_point);
        return true;
    }
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (!found) return false;
    *(*out)++ = values[found - letters];
    return true;
}

/* One block takes all unescaped strings: none is longer than its escaped form. */
static bool begin_unescaped(struct scanner *scanner, const char *string)
{
    if (scanner->unescaped) return true;
    scanner->unescaped = memory_allocate((size_t)(scanner->end - string));
    scanner->fields.command->unescaped = scanner->unescaped;
    scanner->no_memory = scanner->unescaped == NULL;
    return !scanner->no_memory;
}

/* The rest of a string that begins at `start` and has its first escape next. */
static bool scan_escaped(struct scanner *scanner, const char *start, struct slice *value)
{
    if (!begin_unescaped(scanner, start)) return false;
    size_t before = (size_t)(scanner->at - start);
    char *out = scanner->unescaped;
    memcpy(out, start, before);
    out += before;
    while (scanner->at < scanner->end && *scanner->at != '"') {
        const uint8_t *byte = (const uint8_t *)scanner->at, *next = byte;
        uint32_t code_point;
        if (is_plain(*scanner->at)) {
            *out++ = *scanner->at++;
        } else if (*byte >= 0x80) {
            if (!utf8_next(&next, (const uint8_t *)scanner->end, &code_point)) return false;
            out = put_utf8(out, code_point);
            scanner->at = (const char *)next;
        } else if (*byte != '\\' || !scan_escape(scanner, &out)) {
            return false;
        }
    }
    *value = slice_of(scanner->unescaped, (size_t)(out - scanner->unescaped));
    scanner->unescaped = out;
    return take(scanner, '"');
}

/* The rest of a string that begins at `start` and has a character next that is not plain. */
static __attribute__((noinline)) bool scan_odd_string(struct scanner *scanner, const char *start,
                                                      struct slice *value)
{
    for (;;) {
        scanner->at = skip_plain(scanner->at, scanner->end);
        if (scanner->at == scanner->end) return false;
        if (*scanner->at == '"') break;
        if (*scanner->at == '\\') return scan_escaped(scanner, start, value);
        const uint8_t *next = (const uint8_t *)scanner->at;
        uint32_t code_point;
        if (*next < 0x80 || !utf8_next(&next, (const uint8_t *)scanner->end, &code_point))
            return false;
        scanner->at = (const char *)next;
    }
    *value = slice_of(start, (size_t)(scanner->at++ - start));
    return true;
}

/* A string whose opening quote is taken. */
static inline bool scan_string(struct scanner *scanner, struct slice *value)
{
    const char *start = scanner->at, *at = skip_plain(start, scanner->end);
    scanner->at = at;
    if (at == scanner->end || *at != '"') return scan_odd_string(scanner, start, value);
    scanner->at = at + 1;
    *value = slice_of(start, (size_t)(at - start));
    return true;
}

/* Whole numbers whose text is their only one: no leading zero, no -0, surely within 64 bits. */
static bool scan_integer(struct scanner *scanner, struct slice *text)
{
    enum { MOST_DIGITS = 18 };
    const char *start = scanner->at;
    if (*scanner->at == '-') scanner->at++;
    const char *digits = scanner->at;
    while (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9') scanner->at++;
    size_t count = (size_t)(scanner->at - digits);
    if (count == 0 || count > MOST_DIGITS) return false;
    if (*digits == '0' && (count > 1 || digits > start)) return false;
    *text = slice_of(start, (size_t)(scanner->at - start));
    return true;
}

static bool scan_word(struct scanner *scanner, const char *word, size_t size, struct slice *text)
{
    if ((size_t)(scanner->end - scanner->at) < size || memcmp(scanner->at, word, size) != 0)
        return false;
    *text = slice_of(scanner->at, size);
    scanner->at += size;
    return true;
}

/* A scalar; that nothing sticks to it shows where its caller takes the next ',' or '}'. */
static bool scan_scalar(struct scanner *scanner, struct scalar *scalar)
{
    skip_blanks(scanner);
    if (scanner->at == scanner->end) return false;
    switch (*scanner->at) {
    case '"':
        scanner->at++;
        scalar->kind = SCALAR_STRING;
        return scan_string(scanner, &scalar->text);
    case 't': scalar->kind = SCALAR_BOOL; return scan_word(scanner, "true", 4, &scalar->text);
    case 'f': scalar->kind = SCALAR_BOOL; return scan_word(scanner, "false", 5, &scalar->text);
    case 'n': scalar->kind = SCALAR_NULL; return scan_word(scanner, "null", 4, &scalar->text);
    default: scalar->kind = SCALAR_INTEGER; return scan_integer(scanner, &scalar->text);
    }
}

static __attribute__((noinline)) bool has_zero(struct slice text)
{
    return text.size > 0 && memchr(text.data, '\0', text.size);
}

/* A key and its colon. Only an escape can bring a zero byte, which jansson has no keys with. */
static bool scan_key(struct scanner *scanner, struct slice *key)
{
    return take(scanner, '"') && scan_string(scanner, key) &&
           !(scanner->unescaped && has_zero(*key)) && take(scanner, ':');
}

static bool scan_field(struct scanner *scanner)
{
    struct slice name;
    struct scalar value;
    if (!scan_key(scanner, &name) || !scan_scalar(scanner, &value)) return false;
    if (value.kind == SCALAR_NULL) value.text = SLICE_ABSENT;
    return command_fields_put(&scanner->fields, name, value.text);
}

/* The members of an object, each by `scan_one`. */
static bool scan_object(struct scanner *scanner, bool (*scan_one)(struct scanner *))
{
    if (!take(scanner, '{')) return false;
    if (take(scanner, '}')) return true;
    do {
        if (!scan_one(scanner)) return false;
    } while (take(scanner, ','));
    return take(scanner, '}');
}

static bool scan_member(struct scanner *scanner)
{
    struct slice key;
    struct scalar value;
    if (!scan_key(scanner, &key)) return false;
    if (slice_is(key, "extFields")) {
        command_fields_clear(&scanner->fields);
        skip_blanks(scanner);
        if (scanner->at < scanner->end && *scanner->at == '{')
            return scan_object(scanner, scan_field);
        return scan_scalar(scanner, &value) && value.kind == SCALAR_NULL;
    }
    return scan_scalar(scanner, &value) &&
           command_member_set(scanner->fields.command, key, value) == NULL;
}

static bool scan_header(struct scanner *scanner)
{
    if (!scan_object(scanner, scan_member)) return false;
    skip_blanks(scanner);
    return scanner->at == scanner->end;
}
