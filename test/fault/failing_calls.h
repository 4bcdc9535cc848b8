/* Calls of the system that fail when a test says so. The linker leads every call that the library
 * makes here (--wrap, see the Makefile), so that the library itself carries nothing for it; the
 * embedded cluster is a library of its own, whose calls work. Any thread. */
#ifndef FAULT_FAILING_CALLS_H
#define FAULT_FAILING_CALLS_H

#include <stdbool.h>
#include <stddef.h>

/* The calls by number: its name, NULL behind the last. */
const char *calls_name(size_t number);
/* Whether it can fail for long, not only now and then. */
bool calls_can_last(size_t number);

/* Chooses the call that the next function is about. */
void calls_choose(const char *name);
/* Makes the n-th call of the chosen name from now fail, or none any more with 0; true when the one
 * that was to fail before has come. */
bool calls_fail_once(long nth);

/* Makes every call of this name fail, or none any more. */
void calls_refuse(const char *name, bool refused);
/* How often a call of this name has failed. */
long calls_failed(const char *name);

#endif
