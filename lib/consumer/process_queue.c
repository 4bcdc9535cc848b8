/* A ring of entries by ascending offset. Done entries in the middle stay until those before them
 * are done; the ends are cut off at once. Called by the reading thread (put), workers, the
 * rebalance service and the scheduled executor. */
#include "lib/consumer/process_queue.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"

enum { FIRST_CAPACITY = 64 };

static struct process_entry *entry_at(const struct process_queue *queue, size_t index);
static struct process_entry *find(const struct process_queue *queue, int64_t offset);
static bool make_room(struct process_queue *queue, size_t count) REQUIRES(queue->lock);
static void append(struct process_queue *queue, struct mqc_message *message) REQUIRES(queue->lock);
static struct mqc_message *finish(struct process_queue *queue, struct process_entry *entry)
    REQUIRES(queue->lock);
static void cut_ends(struct process_queue *queue) REQUIRES(queue->lock);
static int64_t commit_offset(const struct process_queue *queue) REQUIRES(queue->lock);
static struct process_queue_state state_of(const struct process_queue *queue) REQUIRES(queue->lock);
static bool change_state(struct process_queue *queue, int64_t offset, enum process_state from,
                         enum process_state to, int64_t started_ms);

void process_queue_init(struct process_queue *queue)
{
    *queue = (struct process_queue){.next = -1};
    lock_init(&queue->lock, LOCK_RANK_PROCESS_QUEUE);
}

void process_queue_done(struct process_queue *queue)
{
    for (size_t i = 0; i < queue->held; i++) mqc_message_free(entry_at(queue, i)->message);
    memory_free(queue->entries);
    lock_done(&queue->lock);
}

mqc_status process_queue_put(struct process_queue *queue, struct mqc_message **messages,
                             size_t count, size_t *added, mqc_error *error)
{
    *added = 0;
    lock_take(&queue->lock);
    bool room = make_room(queue, count);
    for (size_t i = 0; room && i < count; i++) {
        if (messages[i]->queue_offset < queue->next) continue;
        append(queue, messages[i]);
        messages[(*added)++] = messages[i];
    }
    lock_release(&queue->lock);
    return room ? MQC_OK : error_no_memory(error);
}

int64_t process_queue_pass(struct process_queue *queue, int64_t next)
{
    lock_take(&queue->lock);
    if (next > queue->next) queue->next = next;
    int64_t offset = queue->count == 0 ? queue->next : -1;
    lock_release(&queue->lock);
    return offset;
}

bool process_queue_begin(struct process_queue *queue, int64_t offset, int64_t now_ms)
{
    return change_state(queue, offset, PROCESS_WAITING, PROCESS_RUNNING, now_ms);
}

size_t process_queue_take(struct process_queue *queue, size_t most, int64_t now_ms,
                          struct mqc_message **out)
{
    size_t count = 0;
    lock_take(&queue->lock);
    for (size_t i = 0; count < most && i < queue->held; i++) {
        struct process_entry *entry = entry_at(queue, i);
        if (entry->state != PROCESS_WAITING) continue;
        entry->state = PROCESS_RUNNING;
        entry->started_ms = now_ms;
        queue->moves++;
        out[count++] = message_ref(entry->message);
    }
    lock_release(&queue->lock);
    return count;
}

bool process_queue_claim(struct process_queue *queue, int64_t offset)
{
    return change_state(queue, offset, PROCESS_RUNNING, PROCESS_CLAIMED, -1);
}

void process_queue_unclaim(struct process_queue *queue, int64_t offset)
{
    change_state(queue, offset, PROCESS_CLAIMED, PROCESS_RUNNING, -1);
}

void process_queue_again(struct process_queue *queue, int64_t offset)
{
    change_state(queue, offset, PROCESS_CLAIMED, PROCESS_WAITING, -1);
}

void process_queue_put_back(struct process_queue *queue, int64_t offset)
{
    change_state(queue, offset, PROCESS_RUNNING, PROCESS_WAITING, -1);
}

void process_queue_put_back_taken(struct process_queue *queue)
{
    lock_take(&queue->lock);
    for (size_t i = 0; i < queue->held; i++) {
        struct process_entry *entry = entry_at(queue, i);
        if (entry->state == PROCESS_RUNNING) entry->state = PROCESS_WAITING;
    }
    lock_release(&queue->lock);
}

int64_t process_queue_finish_taken(struct process_queue *queue)
{
    lock_take(&queue->lock);
    for (size_t i = 0; i < queue->held; i++) {
        struct process_entry *entry = entry_at(queue, i);
        if (entry->state == PROCESS_RUNNING) mqc_message_free(finish(queue, entry));
    }
    cut_ends(queue);
    int64_t commit = commit_offset(queue);
    lock_release(&queue->lock);
    return commit;
}

int64_t process_queue_remove(struct process_queue *queue, int64_t offset)
{
    struct mqc_message *message = NULL;
    lock_take(&queue->lock);
    struct process_entry *entry = find(queue, offset);
    if (entry && entry->state != PROCESS_DONE) {
        message = finish(queue, entry);
        cut_ends(queue);
    }
    int64_t commit = commit_offset(queue);
    lock_release(&queue->lock);
    mqc_message_free(message);
    return commit;
}

struct mqc_message *process_queue_expired(struct process_queue *queue, int64_t since_ms)
{
    struct mqc_message *message = NULL;
    lock_take(&queue->lock);
    for (size_t i = 0; !message && i < queue->held; i++) {
        struct process_entry *entry = entry_at(queue, i);
        if (entry->state != PROCESS_RUNNING || entry->started_ms > since_ms) continue;
        entry->state = PROCESS_CLAIMED;
        /* Kept: its listener may return while it is sent back. */
        message = mqc_message_ref(entry->message);
    }
    lock_release(&queue->lock);
    return message;
}

void process_queue_read(struct process_queue *queue, struct process_queue_state *state)
{
    lock_take(&queue->lock);
    *state = state_of(queue);
    lock_release(&queue->lock);
}

void process_queue_read_all(struct process_queue *queue, struct process_queue_state *state)
{
    lock_take(&queue->lock);
    *state = state_of(queue);
    for (size_t i = 0; i < queue->held; i++) {
        const struct process_entry *entry = entry_at(queue, i);
        if (entry->state != PROCESS_RUNNING) continue;
        if (state->running_since_ms >= 0 && entry->started_ms >= state->running_since_ms) continue;
        state->running_since_ms = entry->started_ms;
        state->running_offset = entry->offset;
    }
    lock_release(&queue->lock);
}

static struct process_queue_state state_of(const struct process_queue *queue)
{
    bool empty = queue->count == 0;
    return (struct process_queue_state){
        .count = queue->count,
        .bytes = queue->bytes,
        .first_offset = empty ? -1 : entry_at(queue, 0)->offset,
        .last_offset = empty ? -1 : entry_at(queue, queue->held - 1)->offset,
        .moves = queue->moves,
        .running_since_ms = -1,
        .running_offset = -1,
    };
}

int64_t process_queue_next(struct process_queue *queue)
{
    lock_take(&queue->lock);
    int64_t next = queue->next;
    lock_release(&queue->lock);
    return next;
}

static struct process_entry *entry_at(const struct process_queue *queue, size_t index)
{
    return &queue->entries[(queue->first + index) & (queue->capacity - 1)];
}

/* Offsets mostly follow one another, so that the first look finds it; else it is before there. */
static struct process_entry *find(const struct process_queue *queue, int64_t offset)
{
    if (queue->held == 0 || offset < entry_at(queue, 0)->offset) return NULL;
    uint64_t distance = (uint64_t)offset - (uint64_t)entry_at(queue, 0)->offset;
    size_t low = 0, high = queue->held;
    if (distance < high) {
        struct process_entry *guess = entry_at(queue, distance);
        if (guess->offset == offset) return guess;
        high = distance;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_at(queue, middle)->offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == queue->held) return NULL;
    struct process_entry *entry = entry_at(queue, low);
    return entry->offset == offset ? entry : NULL;
}

static bool make_room(struct process_queue *queue, size_t count)
{
    size_t capacity = queue->capacity ? queue->capacity : FIRST_CAPACITY;
    while (capacity - queue->held < count) capacity *= 2;
    if (capacity == queue->capacity) return true;
    struct process_entry *entries = memory_allocate(capacity * sizeof *entries);
    if (!entries) return false;
    for (size_t i = 0; i < queue->held; i++) entries[i] = *entry_at(queue, i);
    memory_free(queue->entries);
    queue->entries = entries;
    queue->capacity = capacity;
    queue->first = 0;
    return true;
}

static void append(struct process_queue *queue, struct mqc_message *message)
{
    struct process_entry *entry = entry_at(queue, queue->held++);
    *entry = (struct process_entry){
        .message = message_ref(message),
        .offset = message->queue_offset,
        .bytes = message->body.size,
        .state = PROCESS_WAITING,
    };
    queue->count++;
    queue->bytes += entry->bytes;
    queue->next = entry->offset + 1;
}

/* Returns what the caller frees. */
static struct mqc_message *finish(struct process_queue *queue, struct process_entry *entry)
{
    struct mqc_message *message = entry->message;
    entry->message = NULL;
    entry->state = PROCESS_DONE;
    queue->moves++;
    queue->count--;
    queue->bytes -= entry->bytes;
    return message;
}

static void cut_ends(struct process_queue *queue)
{
    while (queue->held > 0 && entry_at(queue, 0)->state == PROCESS_DONE) {
        queue->first = (queue->first + 1) & (queue->capacity - 1);
        queue->held--;
    }
    while (queue->held > 0 && entry_at(queue, queue->held - 1)->state == PROCESS_DONE)
        queue->held--;
}

static int64_t commit_offset(const struct process_queue *queue)
{
    return queue->count > 0 ? entry_at(queue, 0)->offset : queue->next;
}

/* A negative `started_ms` leaves the start as it is. */
static bool change_state(struct process_queue *queue, int64_t offset, enum process_state from,
                         enum process_state to, int64_t started_ms)
{
    lock_take(&queue->lock);
    struct process_entry *entry = find(queue, offset);
    bool changed = entry && entry->state == from;
    if (changed) {
        entry->state = to;
        if (started_ms >= 0) entry->started_ms = started_ms;
        queue->moves += to == PROCESS_RUNNING;
    }
    lock_release(&queue->lock);
    return changed;
}
