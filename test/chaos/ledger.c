/* Reads the journal's lines into what is known of queues, messages and members. See ledger.h. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "test/chaos/ledger_private.h"

static const char *const REASON_NAMES[REASONS] = {
    "refused by the listener",      "sent twice, as the first answer was missing",
    "its member was killed",        "the cluster failed meanwhile",
    "its queue was moved",          "two members had its queue",
    "popped for longer than agreed"};

struct ledger *ledger_new(enum mode mode, const char *topic, FILE *complaints)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger) abort();
    ledger->mode = mode;
    ledger->complaints = complaints;
    snprintf(ledger->topic, sizeof ledger->topic, "%s", topic);
    for (int i = 0; i < CALLS; i++) ledger->calls[i].member = -1;
    for (int i = 0; i < KEYS; i++) ledger->keys[i].place = -1;
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    for (int i = 0; i < ledger->place_count; i++) free(ledger->places[i].done);
    for (int i = 0; i < KEYS; i++) free(ledger->keys[i].messages);
    free(ledger->killed_ms);
    free(ledger);
}

void ledger_fail(struct ledger *ledger, const char *format, ...)
{
    va_list arguments;
    ledger->counts.failures++;
    if (!ledger->complaints) return;
    va_start(arguments, format);
    fprintf(ledger->complaints, "chaos: FAILED %lld: ", (long long)now_ms());
    vfprintf(ledger->complaints, format, arguments);
    fputc('\n', ledger->complaints);
    va_end(arguments);
}

static int place_of(struct ledger *ledger, const char *topic, const char *broker, int queue)
{
    for (int i = 0; i < ledger->place_count; i++) {
        const struct place *place = &ledger->places[i];
        if (place->queue == queue && strcmp(place->broker, broker) == 0 &&
            strcmp(place->topic, topic) == 0)
            return i;
    }
    if (ledger->place_count == PLACES) abort();
    struct place *place = &ledger->places[ledger->place_count];
    snprintf(place->topic, sizeof place->topic, "%s", topic);
    snprintf(place->broker, sizeof place->broker, "%s", broker);
    place->queue = queue;
    for (int i = 0; i < OWNERS; i++) place->owners[i] = -1;
    place->consumer = -1;
    place->committed = -1;
    return ledger->place_count++;
}

/* NULL: no such message can be. */
static struct message *message_of(struct ledger *ledger, int key, int number)
{
    if (key < 0 || key >= KEYS || number < 0) return NULL;
    struct key *of = &ledger->keys[key];
    while ((size_t)number >= of->capacity) {
        size_t capacity = of->capacity ? of->capacity * 2 : 256;
        of->messages = realloc(of->messages, capacity * sizeof *of->messages);
        if (!of->messages) abort();
        for (size_t i = of->capacity; i < capacity; i++)
            of->messages[i] = (struct message){.place = -1, .member = -1};
        of->capacity = capacity;
    }
    if ((size_t)number >= of->count) of->count = (size_t)number + 1;
    return &of->messages[number];
}

static void member_needs(struct ledger *ledger, int member)
{
    while ((size_t)member >= ledger->member_capacity) {
        size_t capacity = ledger->member_capacity ? ledger->member_capacity * 2 : 64;
        ledger->killed_ms = realloc(ledger->killed_ms, capacity * sizeof *ledger->killed_ms);
        if (!ledger->killed_ms) abort();
        memset(ledger->killed_ms + ledger->member_capacity, 0,
               (capacity - ledger->member_capacity) * sizeof *ledger->killed_ms);
        ledger->member_capacity = capacity;
    }
}

/* ---- calls of listeners ---- */

static struct call *call_find(struct ledger *ledger, int member, int number)
{
    for (int i = 0; i < CALLS; i++)
        if (ledger->calls[i].member == member && (member < 0 || ledger->calls[i].number == number))
            return &ledger->calls[i];
    return NULL;
}

static void mark_done(struct place *place, int64_t offset)
{
    size_t byte = (size_t)offset / 8;
    if (byte >= place->done_bytes) {
        size_t bytes = byte + 1024;
        place->done = realloc(place->done, bytes);
        if (!place->done) abort();
        memset(place->done + place->done_bytes, 0, bytes - place->done_bytes);
        place->done_bytes = bytes;
    }
    place->done[byte] |= (unsigned char)(1u << (offset % 8));
    while ((size_t)place->done_before / 8 < place->done_bytes &&
           (place->done[place->done_before / 8] >> (place->done_before % 8) & 1))
        place->done_before++;
}

static void delivered(struct ledger *ledger, struct call *call, int item, int64_t pop_end_ms,
                      int64_t ms)
{
    struct message *message = message_of(ledger, call->items[item].key, call->items[item].number);
    if (!message) {
        ledger_fail(ledger, "member %d got a message that nobody has sent", call->member);
        return;
    }
    ledger->counts.deliveries++;
    rule_repetition(ledger, call, item, ms);
    if (message->place < 0) message->first_ms = ms;
    message->last_ms = ms;
    message->ended_ms = 0;
    message->pop_end_ms = pop_end_ms;
    message->place = call->place;
    message->offset = call->items[item].offset;
    message->member = call->member;
}

/* Members consume before they have told of a queue. */
static void consumed_by(struct place *place, int member, int64_t ms)
{
    if (place->consumer >= 0 && place->consumer != member) place->moved_ms = ms;
    place->consumer = member;
}

static void begin_call(struct ledger *ledger, const char *rest)
{
    char topic[NAME], broker[NAME];
    int member, number, queue, used, key, message_number, reconsumed;
    long long ms, offset, pop_end_ms, ends[BATCH];
    if (sscanf(rest, "%d %d %lld %127s %127s %d%n", &member, &number, &ms, topic, broker, &queue,
               &used) != 6)
        abort();
    struct call *call = call_find(ledger, -1, 0);
    if (!call) abort();
    *call = (struct call){.member = member, .number = number};
    call->place = place_of(ledger, topic, broker, queue);
    for (rest += used; call->count < BATCH; rest += used) {
        if (sscanf(rest, " %d/%d/%lld/%d/%lld%n", &key, &message_number, &offset, &reconsumed,
                   &pop_end_ms, &used) != 5)
            break;
        ends[call->count] = pop_end_ms;
        call->items[call->count].key = key;
        call->items[call->count].number = message_number;
        call->items[call->count++].offset = offset;
    }
    rule_order(ledger, call, ms);
    ledger->now_ms = ms;
    consumed_by(&ledger->places[call->place], member, ms);
    for (int i = 0; i < call->count; i++) delivered(ledger, call, i, ends[i], ms);
    ledger->places[call->place].running++;
    member_needs(ledger, member);
    if (ledger->killed_ms[member]) { /* written before it died: it runs no more */
        ledger->places[call->place].running--;
        call->member = -1;
    }
}

static void end_call(struct ledger *ledger, const char *rest)
{
    char verdict[16];
    int member, number;
    long long ms;
    if (sscanf(rest, "%d %d %lld %15s", &member, &number, &ms, verdict) != 4) abort();
    struct call *call = call_find(ledger, member, number);
    if (!call) return; /* of one that was killed */
    struct place *place = &ledger->places[call->place];
    bool good = strcmp(verdict, "good") == 0;
    place->running--;
    for (int i = 0; i < call->count; i++) {
        struct message *message = message_of(ledger, call->items[i].key, call->items[i].number);
        if (!message) continue;
        if (good && !message->done) ledger->counts.consumed++;
        if (good) message->done = true;
        message->ended_ms = ms;
        message->refused += !good;
        /* Refused ones are sent back, and so done here; in order they stay. */
        if (good || ledger->mode != ORDERLY) mark_done(place, call->items[i].offset);
    }
    if (call->count > 0)
        place->last_end = good ? call->items[call->count - 1].offset + 1 : call->items[0].offset;
    call->member = -1;
}

/* ---- members ---- */

static int owners_of(const struct place *place)
{
    int count = 0;
    for (int i = 0; i < OWNERS; i++) count += place->owners[i] >= 0;
    return count;
}

/* The member has the place, or has it no more. */
static void own(struct ledger *ledger, struct place *place, int member, bool has, int64_t ms)
{
    int *seat = NULL;
    for (int i = 0; i < OWNERS; i++) {
        if (place->owners[i] == member) {
            if (!has) place->owners[i] = -1;
            seat = &place->owners[i];
            break;
        }
        if (!seat && place->owners[i] < 0) seat = &place->owners[i];
    }
    if (has && (!seat || *seat != member)) {
        if (!seat) abort();
        *seat = member;
        if (place->owned) place->moved_ms = ms;
        if (place->owned) ledger->counts.moves++;
        place->owned = true;
    }
    if (owners_of(place) > 1 && place->alone_ms != INT64_MAX) {
        if (!place->shared_ms || ms > place->alone_ms + COMMITTED_MS) place->shared_ms = ms;
        place->alone_ms = INT64_MAX;
    } else if (owners_of(place) < 2 && place->alone_ms == INT64_MAX) {
        place->alone_ms = ms;
    }
}

static void queues_changed(struct ledger *ledger, const char *rest)
{
    char topic[NAME], broker[NAME];
    bool mine[PLACES] = {false};
    int member, queue, used;
    long long ms;
    if (sscanf(rest, "%d %lld %127s%n", &member, &ms, topic, &used) != 3) abort();
    ledger->changed_ms = ledger->now_ms = ms;
    for (rest += used; sscanf(rest, " %127[^/]/%d%n", broker, &queue, &used) == 2; rest += used)
        mine[place_of(ledger, topic, broker, queue)] = true;
    for (int i = 0; i < ledger->place_count; i++)
        if (strcmp(ledger->places[i].topic, topic) == 0)
            own(ledger, &ledger->places[i], member, mine[i], ms);
}

static void killed(struct ledger *ledger, int member, int64_t ms)
{
    ledger->killed_ms[member] = ms;
    ledger->counts.kills++;
    for (int i = 0; i < CALLS; i++)
        if (ledger->calls[i].member == member) {
            ledger->places[ledger->calls[i].place].running--;
            ledger->calls[i].member = -1;
        }
}

static void member_event(struct ledger *ledger, char letter, const char *rest)
{
    int member;
    long long ms;
    if (sscanf(rest, "%d %lld", &member, &ms) != 2) abort();
    member_needs(ledger, member);
    ledger->changed_ms = ms;
    if (letter == 'J') ledger->counts.members++;
    if (letter == 'L') ledger->counts.leaves++;
    if (letter == 'K') killed(ledger, member, ms);
    for (int i = 0; i < ledger->place_count && letter == 'G'; i++)
        own(ledger, &ledger->places[i], member, false, ms);
}

/* ---- the rest ---- */

static void sent(struct ledger *ledger, char letter, const char *rest)
{
    int key, number;
    if (sscanf(rest, "%d %d", &key, &number) != 2) abort();
    struct message *message = message_of(ledger, key, number);
    if (!message) abort();
    if (letter == 'A') {
        message->acknowledged = true;
        ledger->counts.acknowledged++;
    } else if (letter == 'U') {
        message->unsure = true;
        ledger->counts.unsure++;
    }
}

static void trouble(struct ledger *ledger, char letter, const char *rest)
{
    int64_t ms = strtoll(rest, NULL, 10);
    if (letter == 'X') {
        ledger->counts.faults++;
        ledger->troubles[ledger->trouble_count++ % TROUBLES_KEPT] = (struct trouble){ms, INT64_MAX};
        return;
    }
    for (size_t i = 0; i < TROUBLES_KEPT; i++) /* one at a time */
        if (ledger->troubles[i].end_ms == INT64_MAX) ledger->troubles[i].end_ms = ms;
}

static void sample(struct ledger *ledger, const char *rest)
{
    char topic[NAME], broker[NAME];
    int queue;
    long long offset;
    if (sscanf(rest, "%127s %127s %d %lld", topic, broker, &queue, &offset) != 4) abort();
    ledger->counts.samples++;
    rule_committed(ledger, &ledger->places[place_of(ledger, topic, broker, queue)], offset);
}

void ledger_line(struct ledger *ledger, const char *line)
{
    const char *rest = line + 1;
    switch (*line) {
    case 'A':
    case 'U':
    case 'N': sent(ledger, *line, rest); break;
    case 'D': begin_call(ledger, rest); break;
    case 'F': end_call(ledger, rest); break;
    case 'R': queues_changed(ledger, rest); break;
    case 'J':
    case 'L':
    case 'G':
    case 'K': member_event(ledger, *line, rest); break;
    case 'X':
    case 'Y': trouble(ledger, *line, rest); break;
    case 'B':
        for (int i = 0; i < ledger->place_count; i++)
            if (strcmp(ledger->places[i].broker, rest + 1) == 0) ledger->places[i].may_fall = true;
        break;
    case 'O': sample(ledger, rest); break;
    case 'E': rule_end(ledger); break;
    default: ledger_fail(ledger, "%s", line);
    }
}

struct ledger_counts ledger_counts(const struct ledger *ledger)
{
    struct ledger_counts counts = ledger->counts;
    for (int k = 0; k < KEYS; k++)
        for (size_t i = 0; i < ledger->keys[k].count; i++)
            counts.missing +=
                ledger->keys[k].messages[i].acknowledged && !ledger->keys[k].messages[i].done;
    return counts;
}

void ledger_complain_of_missing(struct ledger *ledger, int most)
{
    for (int k = 0; k < KEYS; k++)
        for (size_t i = 0; i < ledger->keys[k].count; i++) {
            const struct message *message = &ledger->keys[k].messages[i];
            if (!message->acknowledged || message->done) continue;
            if (most-- <= 0)
                ledger->counts.failures++;
            else
                ledger_fail(ledger, "key %d number %zu was acknowledged and never consumed%s", k, i,
                            message->refused ? " after it was refused" : "");
        }
}

void ledger_print(const struct ledger *ledger, FILE *out)
{
    struct ledger_counts counts = ledger_counts(ledger);
    fprintf(
        out,
        "acknowledged %ld (unsure %ld), consumed %ld, deliveries %ld, missing %ld\n"
        "members %ld, of them killed %ld and left %ld; faults %ld; queues moved %ld\n"
        "offsets looked at %ld times, fallen after a broker was killed %ld, while two members had "
        "the queue %ld\n",
        counts.acknowledged, counts.unsure, counts.consumed, counts.deliveries, counts.missing,
        counts.members, counts.kills, counts.leaves, counts.faults, counts.moves, counts.samples,
        counts.fell, counts.fell_shared);
    for (int i = 0; i < REASONS; i++)
        fprintf(out, "delivered again %ld: %s\n", counts.repeated[i], REASON_NAMES[i]);
    fprintf(out, "failures %ld\n", counts.failures);
}
