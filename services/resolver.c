/* The resolver's thread: see resolver.h. It shares a counted object with its owner: whoever drops
 * the last reference frees it, which is the thread when it was left behind. */
#include "services/resolver.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/reference.h"
#include "services/service.h"

struct question {
    struct link link;
    struct address address;
    resolver_answered *answered;
    resolver_wanted *wanted;
    void *arg;
};

struct resolver {
    struct reference references; /* the owner's and, while it lives, the thread's */
    struct service service;
    struct lock lock; /* guards everything below */
    struct condition changed;
    bool started, stopping;
    struct link questions;
    struct question *current; /* looked up now; NULL also when it was taken away */
    bool answering;           /* the current one's answer is being given */
};

static void resolver_main(void *arg);
static void resolver_interrupt(void *arg);
static void resolver_ended(void *arg);
static void answer_one(struct resolver *resolver, struct question *question, bool wanted);
static void cancel(const struct question *question);
static void resolver_unref(struct resolver *resolver);

mqc_status resolver_new(struct resolver **out, mqc_error *error)
{
    struct resolver *resolver = memory_allocate_zero(1, sizeof *resolver);
    if (!resolver) return error_no_memory(error);
    reference_init(&resolver->references);
    service_init(&resolver->service, "mqc-resolver", resolver_main, resolver_interrupt, resolver);
    resolver->service.ended = resolver_ended;
    lock_init(&resolver->lock, LOCK_RANK_RESOLVER);
    condition_init(&resolver->changed);
    list_init(&resolver->questions);
    *out = resolver;
    return MQC_OK;
}

mqc_status resolver_ask(struct resolver *resolver, const struct address *address,
                        resolver_answered *answered, resolver_wanted *wanted, void *arg,
                        mqc_error *error)
{
    struct question *question = memory_allocate(sizeof *question);
    if (!question) return error_no_memory(error);
    *question =
        (struct question){.address = *address, .answered = answered, .wanted = wanted, .arg = arg};
    mqc_status status = MQC_OK;
    lock_take(&resolver->lock);
    if (resolver->stopping)
        status = error_set(error, MQC_CANCELLED, "%s: the client is shutting down", address->host);
    if (status == MQC_OK && !resolver->started) {
        reference_take(&resolver->references);
        status = service_start(&resolver->service, error);
        resolver->started = status == MQC_OK;
        if (status != MQC_OK) reference_drop(&resolver->references); /* never the last one */
    }
    if (status == MQC_OK) {
        list_append(&resolver->questions, &question->link);
        condition_wake_all(&resolver->changed);
    }
    lock_release(&resolver->lock);
    if (status != MQC_OK) memory_free(question);
    return status;
}

bool resolver_stop(struct resolver *resolver, int64_t deadline_ms)
{
    struct link open, *item;
    struct question hung;
    list_init(&open);
    service_stop(&resolver->service);
    lock_take(&resolver->lock);
    list_move_all(&open, &resolver->questions);
    while (resolver->current) {
        int64_t until_ms = resolver->answering ? CLOCK_NEVER : deadline_ms;
        bool in_time = condition_wait_until(&resolver->changed, &resolver->lock, until_ms);
        if (!in_time && !resolver->answering) break;
    }
    bool hangs = resolver->current != NULL;
    if (hangs) hung = *resolver->current;
    resolver->current = NULL; /* what is found is nobody's from here on */
    bool started = resolver->started;
    resolver->started = false;
    lock_release(&resolver->lock);
    while ((item = list_take_first(&open))) {
        struct question *question = CONTAINER_OF(item, struct question, link);
        cancel(question);
        memory_free(question);
    }
    if (hangs) {
        log_warn(LOG_REMOTING,
                 "the system's resolver does not answer for host %s: its thread is left behind",
                 hung.address.host);
        cancel(&hung);
        service_abandon(&resolver->service);
    } else if (started) {
        service_join(&resolver->service);
    }
    return !hangs;
}

void resolver_free(struct resolver *resolver)
{
    if (resolver) resolver_unref(resolver);
}

static void resolver_main(void *arg)
{
    struct resolver *resolver = arg;
    struct link *item;
    lock_take(&resolver->lock);
    while (!resolver->stopping) {
        item = list_take_first(&resolver->questions);
        if (!item) {
            condition_wait_until(&resolver->changed, &resolver->lock, CLOCK_NEVER);
            continue;
        }
        struct question *question = CONTAINER_OF(item, struct question, link);
        bool wanted = question->wanted(question->arg);
        resolver->current = question;
        lock_release(&resolver->lock);
        answer_one(resolver, question, wanted);
        lock_take(&resolver->lock);
    }
    lock_release(&resolver->lock);
}

static void resolver_interrupt(void *arg)
{
    struct resolver *resolver = arg;
    lock_take(&resolver->lock);
    resolver->stopping = true;
    condition_wake_all(&resolver->changed);
    lock_release(&resolver->lock);
}

static void resolver_ended(void *arg)
{
    resolver_unref(arg);
}

/* The asker is not touched once the question was taken away, which happens during the lookup only.
 */
static void answer_one(struct resolver *resolver, struct question *question, bool wanted)
{
    struct socket_address found[RESOLVER_ADDRESSES_MOST];
    size_t count = 0;
    mqc_error error;
    mqc_status status = MQC_OK;
    if (wanted)
        status =
            address_resolve(&question->address, found, RESOLVER_ADDRESSES_MOST, &count, &error);
    else
        status = error_set(&error, MQC_CANCELLED, "nobody waits for %s", question->address.host);
    lock_take(&resolver->lock);
    bool ours = resolver->current == question;
    resolver->answering = ours;
    lock_release(&resolver->lock);
    if (ours) question->answered(found, count, status == MQC_OK ? NULL : &error, question->arg);
    memory_free(question);
    lock_take(&resolver->lock);
    resolver->current = NULL;
    resolver->answering = false;
    condition_wake_all(&resolver->changed);
    lock_release(&resolver->lock);
}

static void cancel(const struct question *question)
{
    mqc_error error;
    error_set(&error, MQC_CANCELLED, "%s: the client is shutting down", question->address.host);
    question->answered(NULL, 0, &error, question->arg);
}

static void resolver_unref(struct resolver *resolver)
{
    if (!reference_drop(&resolver->references)) return;
    condition_done(&resolver->changed);
    lock_done(&resolver->lock);
    service_done(&resolver->service);
    memory_free(resolver);
}
