/* Delayed, cut, doubled, garbled and slow answers. Under the cluster's lock; called by request.c
 * for every answer. */
#include "lib/embedded/fault_effects.h"

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"

enum { GARBAGE_BYTES = 64, GARBAGE_MAX_BYTES = 1 << 20, WRONG_OPAQUE_BIT = 1 << 30 };

/* An answer that waits for its time. */
struct delayed_answer {
    struct bond bond;
    struct timer timer;
    struct connection *connection;
    struct frame *frame;
};

int32_t fault_opaque(const struct fault_effect *effect, int32_t opaque)
{
    return effect->kind == MQC_FAULT_WRONG_OPAQUE ? opaque ^ WRONG_OPAQUE_BIT : opaque;
}

static void delayed_free(struct delayed_answer *delayed)
{
    list_remove(&delayed->bond.in_connection);
    timer_cancel(&delayed->connection->listener->cluster->held, &delayed->timer);
    frame_unref(delayed->frame);
    memory_free(delayed);
}

static void delayed_lost(struct bond *bond)
{
    delayed_free(CONTAINER_OF(bond, struct delayed_answer, bond));
}

static void delayed_due(struct timer *timer)
{
    struct delayed_answer *delayed = CONTAINER_OF(timer, struct delayed_answer, timer);
    struct connection *connection = delayed->connection;
    struct frame *frame = frame_ref(delayed->frame);
    delayed_free(delayed); /* sending may end the connection, and with it what hangs on it */
    connection_send(connection, slice_of(frame->bytes, frame->size));
    frame_unref(frame);
}

static void send_later(struct connection *connection, struct slice frame, int64_t delay_ms)
{
    struct delayed_answer *delayed = memory_allocate_zero(1, sizeof *delayed);
    if (!delayed) return;
    delayed->connection = connection;
    delayed->timer.fire = delayed_due;
    delayed->frame = frame_copy(frame);
    connection_add_bond(connection, &delayed->bond, delayed_lost);
    if (!delayed->frame || !timer_set(&connection->listener->cluster->held, &delayed->timer,
                                      clock_now_ms() + delay_ms))
        delayed_free(delayed);
}

/* A length no frame can have, then anything. */
static void send_garbage(struct connection *connection, int64_t bytes)
{
    struct buffer garbage;
    buffer_init(&garbage);
    if (bytes == 0) bytes = GARBAGE_BYTES;
    if (bytes > GARBAGE_MAX_BYTES) bytes = GARBAGE_MAX_BYTES;
    for (int64_t i = 0; i < bytes; i++) buffer_put_8(&garbage, (uint8_t)(0xFF - i % 7));
    if (!garbage.failed) connection_send(connection, buffer_slice(&garbage));
    buffer_done(&garbage);
}

void fault_send(const struct reply *reply, struct slice frame)
{
    struct connection *connection = reply->connection;
    const struct fault_effect *effect = &reply->effect;
    switch (effect->kind) {
    case MQC_FAULT_DELAY: send_later(connection, frame, effect->value); break;
    case MQC_FAULT_DROP:
        if ((uint64_t)effect->value < frame.size) frame.size = (size_t)effect->value;
        connection_send(connection, frame);
        connection_finish(connection);
        break;
    case MQC_FAULT_GARBAGE: send_garbage(connection, effect->value); break;
    case MQC_FAULT_DUPLICATE:
        connection_send(connection, frame);
        connection_send(connection, frame);
        break;
    case MQC_FAULT_TRICKLE:
        connection->trickle_ms = effect->value > 0 ? (int)effect->value : 1;
        connection_send(connection, frame);
        break;
    default: connection_send(connection, frame); break;
    }
}
