/* A message as the command line describes it: what mqc send and mqc request share. */
#ifndef TOOLS_OUTGOING_H
#define TOOLS_OUTGOING_H

#include "tools/arguments.h"

struct outgoing {
    const char *topic, *keys, *tag;
    struct text_list properties; /* "name=value" */
};

/* -1 when all is well, else the exit code of what was said about it. */
int outgoing_check(const char *command, const struct outgoing *outgoing);

/* NULL and `error` when something cannot be so. */
mqc_message *outgoing_message(const struct outgoing *outgoing, const char *body, size_t size,
                              mqc_error *error);

#endif
