/* All services' threads of this process, and what each is at, for those who look at a program that
 * stands still (`mqadmin consumerStatus -s`). Threads put themselves in and take themselves out;
 * any thread looks. */
#include "services/service_list.h"

#include <stdio.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "lib/base/buffer.h"
#include "lib/base/clock.h"

static struct {
    pthread_once_t once;
    struct lock lock; /* guards the list and what services say is guarded by it */
    struct link services;
} all = {.once = PTHREAD_ONCE_INIT};

static void all_init(void);
static void all_forget(void);
static void put_work(struct buffer *out, const struct service_work *work);
static const char *state_of(long kernel_id);

void service_list_add(struct service *service)
{
    pthread_once(&all.once, all_init);
    lock_take(&all.lock);
#if defined(__linux__)
    service->kernel_id = syscall(SYS_gettid);
#endif
    list_append(&all.services, &service->listed);
    lock_release(&all.lock);
}

void service_list_remove(struct service *service)
{
    lock_take(&all.lock);
    list_remove(&service->listed);
    lock_release(&all.lock);
}

void service_describe_threads(struct buffer *out)
{
    pthread_once(&all.once, all_init);
    lock_take(&all.lock);
    LIST_EACH(&all.services, item)
    {
        struct service *service = CONTAINER_OF(item, struct service, listed);
        buffer_put_format(out, "%-40sTID: %ld STATE: %s\n", service->name, service->kernel_id,
                          state_of(service->kernel_id));
        buffer_put_format(out, "%-40s", service->name);
        lock_take(&service->lock);
        const struct service_work *work = service_work_borrow(service);
        put_work(out, work);
        service_work_give_back(service, work);
        lock_release(&service->lock);
        buffer_put_text(out, "\n\n");
    }
    lock_release(&all.lock);
}

static void all_init(void)
{
    lock_init(&all.lock, LOCK_RANK_SERVICES);
    list_init(&all.services);
    (void)pthread_atfork(NULL, NULL, all_forget);
}

/* In a forked child: the threads do not exist there, and one of them may have had the lock. */
static void all_forget(void)
{
    lock_init(&all.lock, LOCK_RANK_SERVICES);
    list_init(&all.services);
}

static void put_work(struct buffer *out, const struct service_work *work)
{
    if (!work) {
        buffer_put_text(out, "at nothing that takes long");
        return;
    }
    buffer_put_format(out, "%s for %lld ms, group=%s", work->what,
                      (long long)(clock_now_ms() - work->since_ms), work->group);
    if (work->topic)
        buffer_put_format(out, " topic=%s broker=%s queue=%d offset=%lld messages=%zu", work->topic,
                          work->broker_name ? work->broker_name : "?", (int)work->queue_id,
                          (long long)work->offset, work->count);
}

/* In Java's words, as far as they fit. */
static const char *state_of(long kernel_id)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", kernel_id);
    FILE *file = kernel_id > 0 ? fopen(path, "re") : NULL;
    if (!file) return "UNKNOWN";
    const char *behind_name = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    fclose(file);
    if (!behind_name || !behind_name[1]) return "UNKNOWN";
    switch (behind_name[2]) {
    case 'R': return "RUNNABLE";
    case 'S': return "WAITING";
    case 'D': return "BLOCKED";
    default: return "UNKNOWN";
    }
}
