/* See process_state.h. */
#include "test/contract/process_state.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>

#include "test/contract/contract.h"

enum { THREAD_NAME_BYTES = 16 };

static bool thread_has_name(const char *thread, const char *prefix)
{
    char path[300], name[THREAD_NAME_BYTES + 1] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", thread);
    FILE *file = fopen(path, "r");
    if (!file) return false; /* it has just ended */
    if (!fgets(name, sizeof name, file)) name[0] = '\0';
    fclose(file);
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

int process_threads(const char *prefix)
{
    DIR *folder = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(folder);
    int count = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.' && thread_has_name(entry->d_name, prefix);
    closedir(folder);
    return count;
}

long process_memory_kib(void)
{
    long kib = 0;
    char line[128];
    FILE *file = fopen("/proc/self/status", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) && sscanf(line, "VmRSS: %ld", &kib) != 1) {
    }
    fclose(file);
    return kib;
}

int process_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(folder);
    int count = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count - 1; /* the folder itself */
}

static void *do_nothing(void *arg)
{
    return arg;
}

struct process_state process_state_now(void)
{
    /* With a process's first thread a sanitizer starts one of its own, which stays. */
    pthread_t first;
    if (pthread_create(&first, NULL, do_nothing, NULL) == 0) pthread_join(first, NULL);
    return (struct process_state){.threads = process_threads(""),
                                  .descriptors = process_descriptors()};
}

static bool is_back(void *arg)
{
    const struct process_state *before = arg;
    struct process_state now = process_state_now();
    return now.threads <= before->threads && now.descriptors <= before->descriptors;
}

void process_state_await(struct process_state before)
{
    char what[128];
    struct process_state now = process_state_now();
    snprintf(what, sizeof what, "%d threads and %d descriptors (there were %d and %d)",
             before.threads, before.descriptors, now.threads, now.descriptors);
    contract_await(what, is_back, &before);
}
