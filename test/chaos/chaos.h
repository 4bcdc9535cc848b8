/* A chaos run: processes that consume as one group, a process that sends, and a driver that lets
 * them come, go and die and lets the cluster fail, while everything that happens is told to a
 * ledger, which judges it. The processes are this same program:
 *
 *   chaos run NAME=VALUE…                    the driver; run.c lists the names
 *   chaos member ID MODE SERVERS TOPIC GROUP [NAME=VALUE]…    a consumer (member.c)
 *   chaos sender RATE SERVERS TOPIC          a producer (sender.c)
 *   chaos judge MODE TOPIC <JOURNAL          the ledger alone, on a journal that was kept
 *
 * Members and the sender write lines to the pipe on JOURNAL_FD, each at once and whole, so that
 * what they have done is told even if they are killed the moment after; ledger.h says which lines.
 */
#ifndef CHAOS_H
#define CHAOS_H

#include <mqclient/mqclient.h>
#include <stdint.h>

enum { JOURNAL_FD = 3, LINE_BYTES = 4096, BATCH = 8, KEYS = 32 };

enum mode { CONCURRENT, ORDERLY, POP };
/* -1: no such mode. */
int mode_of(const char *name);

/* ---- journal.c ---- */

/* One line of at most LINE_BYTES; a "\n" is put behind it. Any thread, any process. */
void journal_write(int descriptor, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t now_ms(void); /* since 1970, for what several processes compare */
/* Ends the program with a message when a call did not work. */
void must(mqc_status status, const char *what, const mqc_error *error);
/* Options by name, as in docs/options.md. */
mqc_options *take_options(int count, char **settings);
/* SIGTERM is for sigwait in the main thread alone, and the process ends with the one that made it.
 */
void wait_for_end_only(void);
void await_end(void);
/* The whole body of a message, which follows from its key and number; returns its size. */
enum { BODY_BYTES = 400 };
size_t body_of(int key, int number, char *out);

int member_main(int count, char **arguments);
int sender_main(int count, char **arguments);
int run_main(int count, char **arguments);

#endif
