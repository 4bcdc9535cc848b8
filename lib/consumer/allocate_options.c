/* The options of dividing queues: checked, copied and named where a consumer is made. Any thread.
 */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/consumer/allocate_strategy.h"

enum { VIRTUAL_NODES_DEFAULT = 10, VIRTUAL_NODES_MOST = 1000 };

static mqc_status check_rooms(const mqc_allocate_options *options, mqc_error *error);
static mqc_status check_nearby(const mqc_allocate_options *options, mqc_error *error);
static mqc_status check_queues(const mqc_allocate_options *options, mqc_error *error);
static const char *kind_name(mqc_allocate_kind kind);

mqc_status allocate_options_check(const mqc_allocate_options *options, mqc_error *error)
{
    mqc_allocate_kind kind = options->kind;
    if (!kind_name(kind))
        return error_set(
            error, MQC_BAD_ARGUMENT,
            "allocateMessageQueueStrategy (allocate.kind) is %d: give the constant for "
            "a strategy",
            (int)kind);
    if (options->own && kind != MQC_ALLOCATE_AVERAGELY)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "allocate.own is given besides the strategy %s: give one of them",
                         kind_name(kind));
    int nodes = options->virtual_nodes;
    if (nodes < 0 || nodes > VIRTUAL_NODES_MOST)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "allocate.virtual_nodes is %d: give 1 to %d, or 0 for the default %d",
                         nodes, VIRTUAL_NODES_MOST, VIRTUAL_NODES_DEFAULT);
    mqc_status status = check_queues(options, error);
    if (status == MQC_OK) status = check_rooms(options, error);
    if (status == MQC_OK) status = check_nearby(options, error);
    return status;
}

static mqc_status check_queues(const mqc_allocate_options *options, mqc_error *error)
{
    bool given = options->queue_count > 0;
    if (options->kind == MQC_ALLOCATE_BY_CONFIGURATION && (!given || !options->queues))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the strategy CONFIG has no allocate.queues: give those of this member");
    if (options->kind != MQC_ALLOCATE_BY_CONFIGURATION && given)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "allocate.queues is for the strategy CONFIG "
                         "(MQC_ALLOCATE_BY_CONFIGURATION) only");
    for (size_t i = 0; i < options->queue_count; i++) {
        const mqc_message_queue *queue = &options->queues[i];
        if (queue->topic && queue->broker_name && queue->queue_id >= 0) continue;
        return error_set(error, MQC_BAD_ARGUMENT,
                         "allocate.queues[%zu] has no topic, no broker name or a negative queue id",
                         i);
    }
    return MQC_OK;
}

static mqc_status check_rooms(const mqc_allocate_options *options, mqc_error *error)
{
    bool wanted = options->kind == MQC_ALLOCATE_BY_MACHINE_ROOM;
    size_t count = 0;
    struct slice rest = slice_text(options->rooms);
    while (rest.data) count += slice_trim(slice_split(&rest, ";")).size > 0;
    if (wanted && count == 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the strategy MACHINE_ROOM has no allocate.rooms: give \"room;room\"");
    if (!wanted && options->rooms)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "allocate.rooms is for the strategy MACHINE_ROOM "
                         "(MQC_ALLOCATE_BY_MACHINE_ROOM) only");
    return MQC_OK;
}

static mqc_status check_nearby(const mqc_allocate_options *options, mqc_error *error)
{
    bool wanted = options->kind == MQC_ALLOCATE_MACHINE_ROOM_NEARBY;
    if (wanted && (!options->room_of_broker || !options->room_of_client))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the strategy MACHINE_ROOM_NEARBY has no %s: give the function that knows",
                         options->room_of_broker ? "allocate.room_of_client"
                                                 : "allocate.room_of_broker");
    if (!wanted && (options->room_of_broker || options->room_of_client || options->within != 0))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "allocate.%s is for the strategy MACHINE_ROOM_NEARBY "
                         "(MQC_ALLOCATE_MACHINE_ROOM_NEARBY) only",
                         options->room_of_broker   ? "room_of_broker"
                         : options->room_of_client ? "room_of_client"
                                                   : "within");
    if ((int)options->within < 0 || options->within > MQC_ALLOCATE_CONSISTENT_HASH)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "allocate.within is %d: give MQC_ALLOCATE_AVERAGELY, "
                         "MQC_ALLOCATE_BY_CIRCLE or MQC_ALLOCATE_CONSISTENT_HASH",
                         (int)options->within);
    return MQC_OK;
}

mqc_status allocate_options_copy(const mqc_allocate_options *options, mqc_allocate_options *out,
                                 mqc_error *error)
{
    mqc_message_queue *queues = NULL;
    *out = *options;
    out->rooms = memory_duplicate(options->rooms);
    out->queues = NULL;
    out->queue_count = 0;
    if (out->virtual_nodes == 0) out->virtual_nodes = VIRTUAL_NODES_DEFAULT;
    bool good = !options->rooms || out->rooms;
    if (options->queue_count > 0) {
        queues = memory_allocate_zero(options->queue_count, sizeof *queues);
        out->queues = queues;
        good = good && queues;
    }
    for (size_t i = 0; good && i < options->queue_count; i++) {
        queues[i] = (mqc_message_queue){memory_duplicate(options->queues[i].topic),
                                        memory_duplicate(options->queues[i].broker_name),
                                        options->queues[i].queue_id};
        out->queue_count++;
        good = queues[i].topic && queues[i].broker_name;
    }
    if (good) return MQC_OK;
    allocate_options_done(out);
    return error_no_memory(error);
}

void allocate_options_done(mqc_allocate_options *options)
{
    for (size_t i = 0; i < options->queue_count; i++) {
        memory_free((void *)(uintptr_t)options->queues[i].topic);
        memory_free((void *)(uintptr_t)options->queues[i].broker_name);
    }
    memory_free((void *)(uintptr_t)options->queues);
    memory_free((void *)(uintptr_t)options->rooms);
    *options = (mqc_allocate_options){0};
}

const char *allocate_name(const mqc_allocate_options *options, char buffer[64])
{
    if (options->own) return "OWN";
    if (options->kind != MQC_ALLOCATE_MACHINE_ROOM_NEARBY) return kind_name(options->kind);
    snprintf(buffer, 64, "%s-%s", kind_name(options->kind), kind_name(options->within));
    return buffer;
}

static const char *kind_name(mqc_allocate_kind kind)
{
    switch (kind) {
    case MQC_ALLOCATE_AVERAGELY: return "AVG";
    case MQC_ALLOCATE_BY_CIRCLE: return "AVG_BY_CIRCLE";
    case MQC_ALLOCATE_CONSISTENT_HASH: return "CONSISTENT_HASH";
    case MQC_ALLOCATE_BY_CONFIGURATION: return "CONFIG";
    case MQC_ALLOCATE_BY_MACHINE_ROOM: return "MACHINE_ROOM";
    case MQC_ALLOCATE_MACHINE_ROOM_NEARBY: return "MACHINE_ROOM_NEARBY";
    }
    return NULL;
}
