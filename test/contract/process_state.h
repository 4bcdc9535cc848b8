/* What this process has: its threads and file descriptors, as the kernel tells them. */
#ifndef CONTRACT_PROCESS_STATE_H
#define CONTRACT_PROCESS_STATE_H

/* Threads whose name begins with `prefix` ("" for all). */
int process_threads(const char *prefix);
int process_descriptors(void);
/* Memory in use. Sanitizers keep what is freed: under them it says little. */
long process_memory_kib(void);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PROCESS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PROCESS_SANITIZED 1
#endif
#endif
#ifndef PROCESS_SANITIZED
#define PROCESS_SANITIZED 0
#endif

struct process_state {
    int threads, descriptors;
};
struct process_state process_state_now(void);

/* Waits until there are no more threads and descriptors than there were: what the other ends of
 * closed connections hold in this same process goes a moment later. */
void process_state_await(struct process_state before);

#endif
