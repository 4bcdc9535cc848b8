/* See failing_calls.h: for each row of failing_calls.def the function that the linker puts in the
 * call's place, which asks here whether to fail. */
#include "test/fault/failing_calls.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALL(...) CALL_WHEN(true, __VA_ARGS__)

enum {
#define CALL_WHEN(when, type, name, ...) NUMBER_##name,
#include "test/fault/failing_calls.def"
#undef CALL_WHEN
    CALL_COUNT
};

static struct call {
    const char *name;
    int reason;
    atomic_bool refused;
    atomic_long failed;
} calls[CALL_COUNT + 1] = {
#define CALL_WHEN(when, type, name, failure, reason, ...) {#name, reason, false, 0},
#include "test/fault/failing_calls.def"
#undef CALL_WHEN
};

static struct call *_Atomic chosen;
static atomic_long calls_left; /* of the chosen one until it fails; then -1 */

const char *calls_name(size_t number)
{
    return calls[number].name;
}

bool calls_can_last(size_t number)
{
    return calls[number].reason != EINTR;
}

static struct call *find(const char *name)
{
    for (size_t i = 0; i < CALL_COUNT; i++)
        if (strcmp(calls[i].name, name) == 0) return &calls[i];
    ck_abort_msg("failing_calls.def has no %s", name);
    return NULL;
}

void calls_choose(const char *name)
{
    atomic_store(&chosen, find(name));
}

bool calls_fail_once(long nth)
{
    return atomic_exchange(&calls_left, nth) < 0;
}

void calls_refuse(const char *name, bool refused)
{
    atomic_store(&find(name)->refused, refused);
}

long calls_failed(const char *name)
{
    return atomic_load(&find(name)->failed);
}

static bool is_the_nth(const struct call *call)
{
    if (call != atomic_load(&chosen)) return false;
    long left = atomic_load(&calls_left);
    while (left > 0 && !atomic_compare_exchange_weak(&calls_left, &left, left > 1 ? left - 1 : -1))
        continue;
    return left == 1;
}

static bool fails(struct call *call)
{
    if (!is_the_nth(call) && !atomic_load(&call->refused)) return false;
    atomic_fetch_add(&call->failed, 1);
    return true;
}

/* Visible, since the linker has the shared libraries' own calls lead here, too. */
#define CALL_WHEN(when, type, name, failure, reason, parameters, arguments)                        \
    type __real_##name parameters;                                                                 \
    __attribute__((visibility("default"))) type __wrap_##name parameters;                          \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (!(when) || !fails(&calls[NUMBER_##name])) return __real_##name arguments;              \
        errno = reason;                                                                            \
        return failure;                                                                            \
    }
#include "test/fault/failing_calls.def"
