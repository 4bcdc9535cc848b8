/* The trail of a send's attempts: see send_trail.h. */
#include "lib/producer/send_trail.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"

enum { BROKERS_TEXT_BYTES = 160 };

void send_trail_begin(struct send_trail *trail)
{
    trail->began_us = clock_now_us();
    trail->attempts = 0;
    trail->maybe_done = false;
}

void send_trail_attempt(struct send_trail *trail, const char *broker_name)
{
    if (trail->attempts < SEND_TRAIL_NAMED) trail->brokers[trail->attempts] = broker_name;
    trail->attempts++;
}

void send_trail_failed(struct send_trail *trail, const mqc_error *failure)
{
    trail->maybe_done = trail->maybe_done || failure->maybe_done;
}

mqc_status send_trail_end(const struct send_trail *trail, const mqc_error *last, mqc_error *error)
{
    mqc_error end = *last;
    end.maybe_done = end.maybe_done || trail->maybe_done;
    if (trail->attempts > 0) {
        char brokers[BROKERS_TEXT_BYTES];
        size_t used = 0;
        for (int i = 0; i < trail->attempts && i < SEND_TRAIL_NAMED; i++) {
            int room = (int)(sizeof brokers - used);
            int more = snprintf(brokers + used, (size_t)room, "%s%.64s", i > 0 ? ", " : "",
                                trail->brokers[i]);
            used += (size_t)(more < room ? more : room - 1);
        }
        const char *plural = trail->attempts > 1 ? "s" : "";
        error_set(&end, last->status, "%d attempt%s in %lld ms, broker%s %s%s: %s", trail->attempts,
                  plural, (long long)((clock_now_us() - trail->began_us) / 1000), plural, brokers,
                  trail->attempts > SEND_TRAIL_NAMED ? ", …" : "", last->text);
        end.broker_code = last->broker_code;
        end.retryable = last->retryable;
        end.maybe_done = last->maybe_done || trail->maybe_done;
    }
    if (error) *error = end;
    return end.status;
}
