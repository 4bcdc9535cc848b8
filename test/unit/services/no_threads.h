/* Makes the system refuse new threads, as under a limit on processes: by a default stack that fits
 * into no address space. Works for every user and under the sanitizers. */
#ifndef TEST_SERVICES_NO_THREADS_H
#define TEST_SERVICES_NO_THREADS_H

#include <pthread.h>
#include <stdbool.h>

#if defined(__GLIBC__)
#define CAN_REFUSE_THREADS 1

static inline void threads_refuse(bool refuse)
{
    static size_t usual;
    pthread_attr_t attributes;
    pthread_getattr_default_np(&attributes);
    if (usual == 0) pthread_attr_getstacksize(&attributes, &usual);
    pthread_attr_setstacksize(&attributes, refuse ? (size_t)1 << 62 : usual);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}
#endif

#endif
