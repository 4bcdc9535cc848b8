/* Time. Deadlines and periods are monotonic; only what goes on the wire or to people is wall time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

int64_t clock_now_ms(void);  /* monotonic */
int64_t clock_now_us(void);  /* monotonic */
int64_t clock_unix_ms(void); /* wall */
int64_t clock_unix_us(void); /* wall */

/* now + timeout_ms, CLOCK_NEVER for a negative timeout; never overflows. */
int64_t clock_deadline_ms(int64_t timeout_ms);

/* Milliseconds left until a deadline: 0 when passed, capped to what poll(2) takes, -1 for never. */
int clock_left_ms(int64_t deadline_ms);

/* For pauses of the caller's own thread that nothing should end early. */
void clock_sleep_until(int64_t deadline_ms);

#endif
