/* For tests of code that must end the process: runs it in a child and gives what it said. */
#ifndef TEST_UNIT_BASE_DYING_H
#define TEST_UNIT_BASE_DYING_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/unit.h"

/* What `function` wrote to standard error before it aborted; fails the test when it did not. */
static inline const char *dying_words(void (*function)(void))
{
    static char words[4096];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        function();
        _exit(0);
    }
    close(ends[1]);
    size_t size = 0;
    ssize_t got;
    while ((got = read(ends[0], words + size, sizeof words - 1 - size)) > 0) size += (size_t)got;
    close(ends[0]);
    words[size] = '\0';
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "no abort, said: %s", words);
    return words;
}

#define ck_assert_contains(text, part)                                                             \
    do {                                                                                           \
        const char *ck_text_ = (text);                                                             \
        ck_assert_msg(strstr(ck_text_, (part)) != NULL, "'%s' is not in: %s", (part), ck_text_);   \
    } while (0)

#endif
