/* See watch.h. */
#include "test/chaos/watch.h"

#include <dirent.h>

/* What comes and goes: a buffer, a connection of each broker, workers. */
enum { MEMORY_NOISE_KIB = 4096, THREADS_NOISE = 4, DESCRIPTORS_NOISE = 8 };

static void raise_to(struct usage *most, const struct usage *now)
{
    if (now->memory_kib > most->memory_kib) most->memory_kib = now->memory_kib;
    if (now->threads > most->threads) most->threads = now->threads;
    if (now->descriptors > most->descriptors) most->descriptors = now->descriptors;
}

static bool read_usage(int pid, struct usage *out)
{
    char path[64], line[128];
    *out = (struct usage){0};
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &out->memory_kib) != 1)
            (void)!sscanf(line, "Threads: %ld", &out->threads);
    fclose(file);
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *folder = opendir(path);
    if (!folder) return false;
    while (readdir(folder)) out->descriptors++;
    closedir(folder);
    out->descriptors -= 2; /* . and .. */
    return out->memory_kib > 0;
}

void watch_look(struct watch *watch, double part)
{
    struct usage now;
    if (!read_usage(watch->pid, &now)) return;
    watch->looks++;
    raise_to(&watch->most, &now);
    if (part < 1.0 / 3) raise_to(&watch->early, &now);
    if (part > 2.0 / 3) raise_to(&watch->late, &now);
}

bool watch_bounded(const struct watch *watch, FILE *out)
{
    const struct usage *early = &watch->early, *late = &watch->late, *most = &watch->most;
    fprintf(
        out,
        "%s: memory %ld KiB in the first third, %ld in the last, at most %ld; threads %ld, %ld, "
        "%ld; descriptors %ld, %ld, %ld\n",
        watch->name, early->memory_kib, late->memory_kib, most->memory_kib, early->threads,
        late->threads, most->threads, early->descriptors, late->descriptors, most->descriptors);
    return late->memory_kib <= early->memory_kib + MEMORY_NOISE_KIB &&
           late->threads <= early->threads + THREADS_NOISE &&
           late->descriptors <= early->descriptors + DESCRIPTORS_NOISE;
}
