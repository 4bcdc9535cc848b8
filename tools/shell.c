/* Running commands: see shell.h. The input goes through a file without a name, so that a command
 * that writes much before it reads cannot block us. */
#include "tools/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn(const char *command, int in, int out, pid_t *child);
static bool read_all(int from, char **output, size_t *output_bytes);

bool shell_run(const char *command, const void *input, size_t input_bytes, char **output,
               size_t *output_bytes, char why[128])
{
    int ends[2] = {-1, -1}, status = 0;
    pid_t child;
    *output = NULL;
    FILE *in = tmpfile();
    int failed = 0;
    if (!in || fwrite(input, 1, input_bytes, in) < input_bytes || fflush(in) != 0 ||
        lseek(fileno(in), 0, SEEK_SET) < 0 || pipe2(ends, O_CLOEXEC) < 0)
        failed = errno;
    if (!failed) failed = spawn(command, fileno(in), ends[1], &child);
    if (ends[1] >= 0) close(ends[1]);
    if (!failed) {
        bool whole = read_all(ends[0], output, output_bytes);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        if (!whole) failed = ENOMEM;
    }
    if (ends[0] >= 0) close(ends[0]);
    if (in) fclose(in);
    if (!failed && status == 0) return true;
    if (failed)
        snprintf(why, 128, "the command cannot be run: %s", strerror(failed));
    else if (WIFEXITED(status))
        snprintf(why, 128, "the command ended with exit code %d", WEXITSTATUS(status));
    else
        snprintf(why, 128, "the command was ended by signal %d", WTERMSIG(status));
    free(*output);
    *output = NULL;
    return false;
}

/* The child has none of our signal settings: the tool blocks some and ignores SIGPIPE. */
static int spawn(const char *command, int in, int out, pid_t *child)
{
    char *words[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawn(child, "/bin/sh", &files, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

static bool read_all(int from, char **output, size_t *output_bytes)
{
    size_t room = 0;
    ssize_t got = 1;
    *output_bytes = 0;
    while (got > 0) {
        if (*output_bytes == room) {
            room = room ? room * 2 : 4096;
            char *larger = realloc(*output, room);
            if (!larger) return false;
            *output = larger;
        }
        do {
            got = read(from, *output + *output_bytes, room - *output_bytes);
        } while (got < 0 && errno == EINTR);
        if (got > 0) *output_bytes += (size_t)got;
    }
    return got == 0;
}
