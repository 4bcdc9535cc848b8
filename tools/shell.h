/* A shell's command as a function of bytes: what it prints when it reads them. */
#ifndef TOOLS_SHELL_H
#define TOOLS_SHELL_H

#include <stdbool.h>
#include <stddef.h>

/* Runs `sh -c command` with `input` on its standard input and gives what it prints, to be freed.
 * False when it could not be run or ended with another code than 0: `why` says how. Standard error
 * is ours. May be called from several threads. */
bool shell_run(const char *command, const void *input, size_t input_bytes, char **output,
               size_t *output_bytes, char why[128]);

#endif
