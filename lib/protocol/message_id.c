/* Unique ids of messages and offset ids; pure but for the clock. Producers make a unique id for
 * every message they send, on any thread and without a lock. */
#include "lib/protocol/message_id.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/error.h"
#include "lib/base/process.h"

enum {
    OFFSET_ID_V4_DIGITS = 32,
    OFFSET_ID_V6_DIGITS = 56,
    PREFIX_DIGITS = 20, /* address 4 bytes, process id 2, number 4 */
    LONGEST_MONTH_MS = INT32_MAX,
    QUARTER_HOUR_MS = 15 * 60 * 1000
};

/* The last id's time and counter, (unix ms) << 16 | counter: it only ever grows, by 1 or to the
 * present ms, and every value is given to one caller. A clock that steps back, or more than 65536
 * ids in one ms, make ids run ahead of the clock instead of repeating. */
static _Atomic uint64_t last_moment;

static _Atomic uint32_t host_address;   /* what message_id_set_host gave; 0 before */
static atomic_uint settings_version;    /* counts its calls */
static _Atomic uint64_t random_number;  /* see shared_random */
static _Atomic uint64_t random_address; /* in place of the host's */

/* What a thread's ids of one month begin with. */
static _Thread_local struct {
    bool made;
    unsigned fork_generation;
    unsigned settings_version;
    int64_t month_start_ms, month_end_ms;
    char prefix[PREFIX_DIGITS];
} mine;

static void refresh(int64_t unix_ms, unsigned fork_generation, unsigned version);

static void write_hex(char *out, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value >>= 4) out[i] = "0123456789ABCDEF"[value & 15];
}

void message_id_set_host(const struct host *host)
{
    uint32_t address = 0;
    /* The short form of ids has room for four bytes: an IPv6 address is folded. */
    for (int i = 0; i < (host->ipv6 ? 16 : 4); i++)
        address ^= (uint32_t)host->address[i] << (24 - 8 * (i % 4));
    atomic_store(&host_address, address);
    atomic_fetch_add(&settings_version, 1);
}

static uint64_t next_moment(void)
{
    int64_t now_ms = clock_unix_ms();
    uint64_t now = now_ms > 0 ? (uint64_t)now_ms << 16 : 0;
    uint64_t last = atomic_load_explicit(&last_moment, memory_order_relaxed);
    while (last < now) {
        if (atomic_compare_exchange_weak_explicit(&last_moment, &last, now, memory_order_relaxed,
                                                  memory_order_relaxed))
            return now;
    }
    return atomic_fetch_add_explicit(&last_moment, 1, memory_order_relaxed) + 1;
}

void message_id_make(char out[MESSAGE_ID_BYTES])
{
    uint64_t moment = next_moment();
    int64_t unix_ms = (int64_t)(moment >> 16);
    unsigned generation = process_fork_generation();
    unsigned version = atomic_load_explicit(&settings_version, memory_order_acquire);
    if (!mine.made || mine.fork_generation != generation || mine.settings_version != version ||
        unix_ms < mine.month_start_ms || unix_ms >= mine.month_end_ms)
        refresh(unix_ms, generation, version);
    memcpy(out, mine.prefix, PREFIX_DIGITS);
    uint64_t in_month = (uint64_t)(unix_ms - mine.month_start_ms);
    write_hex(out + PREFIX_DIGITS, in_month << 16 | (moment & 0xFFFF), 12);
    out[PREFIX_DIGITS + 12] = '\0';
}

/* A random number that all threads of a process agree on and a forked child draws anew: the high
 * half of the slot says for which generation it was drawn. */
static uint32_t shared_random(_Atomic uint64_t *slot, unsigned fork_generation)
{
    uint64_t owner = (uint64_t)fork_generation + 1;
    uint64_t drawn = atomic_load(slot);
    if (drawn >> 32 == owner) return (uint32_t)drawn;
    uint64_t fresh = owner << 32 | (random_u64() & UINT32_MAX);
    /* Who comes second takes what the first has drawn. */
    return (uint32_t)(atomic_compare_exchange_strong(slot, &drawn, fresh) ? fresh : drawn);
}

/* Start of the local month that contains the time, and of the one after it. */
static void local_month(int64_t unix_ms, int64_t *start_ms, int64_t *end_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm date = {0};
    *start_ms = *end_ms = -1;
    if (localtime_r(&seconds, &date)) {
        struct tm first = {.tm_year = date.tm_year, .tm_mon = date.tm_mon, .tm_mday = 1};
        struct tm next = {.tm_year = date.tm_year, .tm_mon = date.tm_mon + 1, .tm_mday = 1};
        first.tm_isdst = next.tm_isdst = -1;
        *start_ms = (int64_t)mktime(&first) * 1000;
        *end_ms = (int64_t)mktime(&next) * 1000;
    }
    /* Years that the C library cannot compute: any period serves. */
    if (*start_ms < 0 || *start_ms > unix_ms || *end_ms <= unix_ms ||
        *end_ms - *start_ms > (int64_t)LONGEST_MONTH_MS * 2) {
        *start_ms = unix_ms - unix_ms % LONGEST_MONTH_MS;
        *end_ms = *start_ms + LONGEST_MONTH_MS;
    }
}

static void refresh(int64_t unix_ms, unsigned fork_generation, unsigned version)
{
    local_month(unix_ms, &mine.month_start_ms, &mine.month_end_ms);
    uint32_t address = atomic_load(&host_address);
    if (address == 0) address = shared_random(&random_address, fork_generation);
    /* Another number for every month: times in the month come again, numbers do not. */
    uint32_t number = shared_random(&random_number, fork_generation) +
                      (uint32_t)(mine.month_start_ms / QUARTER_HOUR_MS);
    write_hex(mine.prefix, address, 8);
    write_hex(mine.prefix + 8, (uint64_t)getpid() & 0xFFFF, 4);
    write_hex(mine.prefix + 12, number, 8);
    mine.fork_generation = fork_generation;
    mine.settings_version = version;
    mine.made = true;
}

void offset_id_make(const struct host *store_host, int64_t commit_log_offset,
                    char out[MESSAGE_ID_BYTES])
{
    int bytes = store_host->ipv6 ? 16 : 4;
    char *at = out;
    for (int i = 0; i < bytes; i++, at += 2) write_hex(at, store_host->address[i], 2);
    write_hex(at, (uint32_t)store_host->port, 8);
    write_hex(at + 8, (uint64_t)commit_log_offset, 16);
    at[24] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

mqc_status offset_id_parse(struct slice id, struct host *store_host, int64_t *commit_log_offset,
                           mqc_error *error)
{
    bool fits = id.size == OFFSET_ID_V4_DIGITS || id.size == OFFSET_ID_V6_DIGITS;
    uint8_t bytes[OFFSET_ID_V6_DIGITS / 2] = {0};
    for (size_t i = 0; fits && i < id.size; i++) {
        int digit = hex_digit(id.data[i]);
        fits = digit >= 0;
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | (digit & 15));
    }
    if (!fits)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "offset message id '%.*s': must be 32 or 56 hexadecimal digits",
                         id.size < 80 ? (int)id.size : 80, id.data ? id.data : "");
    struct cursor cursor = cursor_of(slice_of(bytes, id.size / 2));
    *store_host = (struct host){.ipv6 = id.size == OFFSET_ID_V6_DIGITS};
    size_t address_bytes = store_host->ipv6 ? 16 : 4;
    memcpy(store_host->address, cursor_skip(&cursor, address_bytes), address_bytes);
    store_host->port = cursor_i32(&cursor);
    *commit_log_offset = cursor_i64(&cursor);
    return MQC_OK;
}

static size_t put_decimal(char *out, size_t at, int64_t value, char behind)
{
    at += decimal_write(out + at, value);
    out[at] = behind;
    return at + 1;
}

/* Without printf: consumers want it of every message. */
void host_format(const struct host *host, char out[HOST_TEXT_BYTES])
{
    size_t at = 0;
    if (host->ipv6) {
        out[at++] = '[';
        inet_ntop(AF_INET6, host->address, out + at, INET6_ADDRSTRLEN);
        at += strlen(out + at);
        memcpy(out + at, "]:", 2);
        at += 2;
    } else {
        for (int i = 0; i < 4; i++) at = put_decimal(out, at, host->address[i], i < 3 ? '.' : ':');
    }
    put_decimal(out, at, host->port, '\0');
}
