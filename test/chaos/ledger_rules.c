/* What the ledger holds a run to; see ledger.h. */
#include "test/chaos/ledger_private.h"

static bool trouble_within(const struct ledger *ledger, int64_t begin_ms, int64_t end_ms)
{
    for (size_t i = 0; i < ledger->trouble_count && i < TROUBLES_KEPT; i++) {
        const struct trouble *trouble = &ledger->troubles[i];
        bool over = trouble->end_ms != INT64_MAX && trouble->end_ms + GRACE_MS < begin_ms;
        if (trouble->begin_ms <= end_ms && !over) return true;
    }
    return false;
}

/* What was done so long before is committed, and cannot come again for this reason. */
static bool soon_after(int64_t reason_ms, int64_t delivered_ms)
{
    return reason_ms > 0 && reason_ms >= delivered_ms - GRACE_MS &&
           reason_ms <= delivered_ms + COMMITTED_MS;
}

/* A queue went from one member to another: for a moment both think of it as theirs. The retry
 * topic's queues nobody tells of: they may move whenever the group changes. */
static bool moved_after(const struct ledger *ledger, const struct place *place, int64_t ms)
{
    return soon_after(place->moved_ms, ms) || (!place->owned && soon_after(ledger->changed_ms, ms));
}

/* For as long as two members have a queue, each commits what it has done itself; the moment in
 * which it goes from one to the other is not meant. Nobody tells of the retry topic's queues: who
 * has others of the group twice has them twice, too. */
static bool shared_at(const struct ledger *ledger, const struct place *place, int64_t ms)
{
    if (!place->owned) {
        for (int i = 0; i < ledger->place_count; i++)
            if (ledger->places[i].owned && shared_at(ledger, &ledger->places[i], ms)) return true;
        return false;
    }
    int64_t until_ms = place->alone_ms == INT64_MAX ? ledger->now_ms : place->alone_ms;
    return place->shared_ms > 0 && until_ms - place->shared_ms >= SHARED_MS &&
           place->shared_ms <= ms + COMMITTED_MS && until_ms >= ms - GRACE_MS;
}

/* Why a message that was delivered before comes again at `ms`; REASONS: there is no reason. */
static enum reason reason_of(const struct ledger *ledger, const struct message *message,
                             const struct call *call, int item, int64_t ms)
{
    const struct place *place = &ledger->places[call->place];
    bool other_copy = call->place != message->place || call->items[item].offset != message->offset;
    /* Each refusal makes a copy, but in order, where it is given again in its place. */
    if (message->refused && (other_copy || ledger->mode == ORDERLY)) return REFUSED;
    if (other_copy && message->unsure) return SENT_TWICE;
    if (soon_after(ledger->killed_ms[message->member], message->last_ms)) return KILLED;
    if (trouble_within(ledger, other_copy ? message->first_ms : message->last_ms, ms)) return FAULT;
    if (ledger->mode == POP) {
        bool late = message->pop_end_ms > 0 &&
                    (message->ended_ms ? message->ended_ms : ms) >= message->pop_end_ms;
        return late ? LATE : REASONS;
    }
    if (shared_at(ledger, place, message->last_ms)) return SHARED;
    if (moved_after(ledger, place, message->last_ms)) return MOVED;
    return REASONS;
}

void rule_repetition(struct ledger *ledger, const struct call *call, int item, int64_t ms)
{
    const struct place *place = &ledger->places[call->place];
    struct key *key = &ledger->keys[call->items[item].key];
    struct message *message = &key->messages[call->items[item].number];
    if (message->place < 0) {
        if (ledger->mode == ORDERLY && key->place == call->place &&
            call->items[item].number < key->number)
            ledger_fail(ledger, "key %d: number %d came first after number %d in %s queue %d",
                        call->items[item].key, call->items[item].number, key->number, place->broker,
                        place->queue);
        key->place = call->place;
        key->number = call->items[item].number;
        return;
    }
    enum reason reason = reason_of(ledger, message, call, item, ms);
    if (reason < REASONS) {
        ledger->counts.repeated[reason]++;
        if (reason == REFUSED) message->refused--;
        return;
    }
    const struct place *before = &ledger->places[message->place];
    ledger_fail(ledger,
                "key %d number %d came again without a reason: at %lld to member %d of %s %s/%d "
                "offset %lld, ended %lld; at %lld to member %d of %s %s/%d offset %lld, which had "
                "moved at %lld",
                call->items[item].key, call->items[item].number, (long long)message->last_ms,
                message->member, before->topic, before->broker, before->queue,
                (long long)message->offset, (long long)message->ended_ms, (long long)ms,
                call->member, place->topic, place->broker, place->queue,
                (long long)call->items[item].offset, (long long)place->moved_ms);
}

void rule_order(struct ledger *ledger, const struct call *call, int64_t ms)
{
    struct place *place = &ledger->places[call->place];
    if (call->count == 0) {
        ledger_fail(ledger, "member %d: a call without messages, or of another form", call->member);
        return;
    }
    int64_t first = call->items[0].offset, last = call->items[call->count - 1].offset;
    if (ledger->mode == ORDERLY) {
        if (place->running > 0)
            ledger_fail(ledger,
                        "%s queue %d: member %d got offset %lld at %lld while another call ran",
                        place->broker, place->queue, call->member, (long long)first, (long long)ms);
        if (first > place->last_end)
            ledger_fail(ledger, "%s queue %d: member %d got offset %lld, but it was %lld's turn",
                        place->broker, place->queue, call->member, (long long)first,
                        (long long)place->last_end);
    }
    if (last >= place->next) place->next = last + 1;
}

/* What is committed never comes again: so it must be done, and never undone. */
void rule_committed(struct ledger *ledger, struct place *place, int64_t offset)
{
    if (offset < place->committed) {
        if (place->may_fall)
            ledger->counts.fell++;
        else if (shared_at(ledger, place, ledger->now_ms))
            ledger->counts.fell_shared++;
        else
            ledger_fail(ledger, "%s %s queue %d: the committed offset fell from %lld to %lld",
                        place->topic, place->broker, place->queue, (long long)place->committed,
                        (long long)offset);
    }
    if (ledger->mode != POP && offset > place->done_before)
        ledger_fail(ledger, "%s %s queue %d: %lld is committed, but %lld is not done", place->topic,
                    place->broker, place->queue, (long long)offset, (long long)place->done_before);
    place->committed = offset;
    place->may_fall = false;
}

void rule_end(struct ledger *ledger)
{
    for (int i = 0; i < ledger->place_count && ledger->mode != POP; i++) {
        const struct place *place = &ledger->places[i];
        if (place->committed < place->done_before)
            ledger_fail(ledger, "%s %s queue %d: all before %lld is done, but %lld is committed",
                        place->topic, place->broker, place->queue, (long long)place->done_before,
                        (long long)place->committed);
    }
}
