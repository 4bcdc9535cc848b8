/* Programming errors of ours: a broken invariant ends the process with file and line. Nothing that
 * the environment or the caller does may lead here. */
#ifndef BASE_BUG_H
#define BASE_BUG_H

_Noreturn void bug_found(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define BUG(...) bug_found(__FILE__, __LINE__, __VA_ARGS__)
#define BUG_IF(condition, ...)                                                                     \
    do {                                                                                           \
        if (__builtin_expect(!!(condition), 0)) BUG(__VA_ARGS__);                                  \
    } while (0)

#endif
