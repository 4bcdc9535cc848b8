/* Printing for all subcommands (see output.h). Called on the main thread, and by the listener of
 * mqc consume under its lock. */
#include "tools/output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tools/mqc.h"

static void print_error(const char *command, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

int usage_error(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_error(command, format, arguments);
    va_end(arguments);
    fprintf(stderr, ": see \"mqc help %s\"\n", command);
    return EXIT_USAGE;
}

int failure(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_error(command, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

static void print_error(const char *command, const char *format, va_list arguments)
{
    fprintf(stderr, "mqc: %s: ", command);
    vfprintf(stderr, format, arguments);
}

int library_failure(const char *command, const char *context, const mqc_error *error)
{
    static const char NOWHERE[] = "no name server is known";
    /* The library names its options; from a shell there is a shorter way. */
    if (strncmp(error->text, NOWHERE, sizeof NOWHERE - 1) == 0) {
        failure(command, "%s%s: give -n HOST:PORT, or set NAMESRV_ADDR", context, NOWHERE);
        return EXIT_USAGE;
    }
    failure(command, "%s%s%s", context, error->text,
            error->maybe_done ? " (it may have been done all the same)" : "");
    if (error->status == MQC_BAD_ARGUMENT) return EXIT_USAGE;
    return error->status == MQC_TIMEOUT || error->status == MQC_NO_REPLY ? EXIT_TIMEOUT
                                                                         : EXIT_FAILED;
}

/* Drops what has been written from the front of the parts; the first that is not empty. */
static int drop_written(struct iovec *parts, int first, int count, size_t written)
{
    for (; first < count; first++) {
        size_t taken = written < parts[first].iov_len ? written : parts[first].iov_len;
        parts[first].iov_base = (char *)parts[first].iov_base + taken;
        parts[first].iov_len -= taken;
        written -= taken;
        if (parts[first].iov_len > 0) break;
    }
    return first;
}

/* Past stdio: a writer that waits for a slow reader must not hold the lock of stdout. */
bool output_line(const void *bytes, size_t size)
{
    if (fflush(stdout) != 0) return false;
    struct iovec parts[] = {{(void *)(uintptr_t)bytes, size}, {"\n", 1}};
    for (int first = 0; first < 2;) {
        ssize_t written = writev(STDOUT_FILENO, parts + first, 2 - first);
        if (written >= 0) {
            first = drop_written(parts, first, 2, (size_t)written);
        } else if (errno == EAGAIN) { /* somebody else has made it non-blocking */
            struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
            poll(&output, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool output_json(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
    json_decref(object);
    errno = ENOMEM;
    bool written = text && output_line(text, strlen(text));
    free(text);
    return written;
}

int output_failure(const char *command)
{
    int number = errno;
    if (number != EPIPE) failure(command, "standard output: %s", strerror(number));
    return EXIT_FAILED;
}

int output_finish(const char *command)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_DONE : output_failure(command);
}

/* How many bytes the UTF-8 character at `at` has, as RFC 3629 allows; 0 when it is none. */
static size_t character_bytes(const unsigned char *at, size_t left)
{
    unsigned char first = at[0];
    if (first < 0x80) return 1;
    size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || size > left) return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    bool overlong = (first == 0xE0 && at[1] < 0xA0) || (first == 0xF0 && at[1] < 0x90);
    bool surrogate = first == 0xED && at[1] > 0x9F;
    bool beyond = first == 0xF4 && at[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : size;
}

json_t *json_text(const char *text)
{
    if (!text) return json_null();
    json_t *whole = json_string(text);
    if (whole) return whole;
    size_t left = strlen(text), used = 0;
    char *mended = malloc(3 * left + 1);
    if (!mended) return NULL;
    for (const unsigned char *at = (const unsigned char *)text; left > 0;) {
        size_t good = character_bytes(at, left);
        size_t taken = good ? good : 1;
        memcpy(mended + used, good ? (const char *)at : "\xEF\xBF\xBD", good ? good : 3);
        used += good ? good : 3;
        at += taken;
        left -= taken;
    }
    json_t *result = json_stringn(mended, used);
    free(mended);
    return result;
}

static char *base64(const unsigned char *bytes, size_t size)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc((size + 2) / 3 * 4 + 1), *out = text;
    if (!text) return NULL;
    for (size_t i = 0; i < size; i += 3) {
        size_t count = size - i < 3 ? size - i : 3;
        unsigned group = (unsigned)bytes[i] << 16;
        if (count > 1) group |= (unsigned)bytes[i + 1] << 8;
        if (count > 2) group |= bytes[i + 2];
        *out++ = DIGITS[group >> 18];
        *out++ = DIGITS[group >> 12 & 63];
        *out++ = count > 1 ? DIGITS[group >> 6 & 63] : '=';
        *out++ = count > 2 ? DIGITS[group & 63] : '=';
    }
    *out = '\0';
    return text;
}

bool json_add_body(json_t *object, mqc_view body)
{
    const char *bytes = body.size > 0 ? body.data : "";
    json_t *text = json_stringn(bytes, body.size); /* NULL when it is not UTF-8 */
    if (text) return json_object_set_new(object, "body", text) == 0;
    char *encoded = base64((const unsigned char *)bytes, body.size);
    bool added = encoded && json_object_set_new(object, "body", json_null()) == 0 &&
                 json_object_set_new(object, "bodyBase64", json_string(encoded)) == 0;
    free(encoded);
    return added;
}
