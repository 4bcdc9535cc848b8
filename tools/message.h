/* What the files of mqc message share. */
#ifndef TOOLS_MESSAGE_H
#define TOOLS_MESSAGE_H

#include "tools/admin_command.h"
#include "tools/message_object.h"

#define OPTION_ID(target)                                                                          \
    OPTION_TEXT('i', "id", "ID", "unique id or offset id (required)", &(target))

/* Messages on their way to standard output: a table at the end, or objects at once. */
struct message_printer {
    struct admin_command *command;
    struct report report;
    int most, count; /* most 0: no limit */
};

void message_printer_init(struct message_printer *printer, struct admin_command *command, int most);
/* Prints or notes one; false when there shall be no more. */
bool message_printer_add(const mqc_message *message, void *printer);
void message_printer_finish(struct message_printer *printer);

int message_trace_command(int argc, char **argv);
int message_track_command(int argc, char **argv);
int message_consume_command(int argc, char **argv);
int message_recall_command(int argc, char **argv);
int message_resend_command(int argc, char **argv);
int message_replay_command(int argc, char **argv);
int message_dlq_command(int argc, char **argv);

#endif
