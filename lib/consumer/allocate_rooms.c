/* Dividing queues where brokers and clients are in several machine rooms: only those of some rooms
 * (AllocateMessageQueueByMachineRoom.java), or to the members nearby (AllocateMachineRoomNearby).
 * Both pick some of the queues, and perhaps of the members, and divide those. Rebalance service. */
#include "lib/base/error.h"
#include "lib/base/map.h"
#include "lib/base/memory.h"
#include "lib/consumer/allocate_strategy.h"

enum { NOBODY = 0 };

/* A part of an allocation's queues or members, in their order. */
struct part {
    mqc_message_queue *queues;
    size_t *places; /* of those queues in the whole */
    size_t queue_count;
    const char **client_ids;
    size_t client_count;
};

/* The room of each queue and member: numbers from 1 on. */
struct rooms {
    struct map numbers;
    uintptr_t *of_queue;
    uintptr_t *of_client;
    bool *has_clients; /* by number */
};

static bool room_is_wanted(const char *broker_name, const char *rooms);
static struct slice room_in_name(const char *broker_name);
static mqc_status part_make(struct part *part, const mqc_allocation *allocation, mqc_error *error);
static void part_done(struct part *part);
static mqc_status rooms_find(struct rooms *rooms, const mqc_allocate_options *options,
                             const mqc_allocation *allocation, mqc_error *error);
static void rooms_done(struct rooms *rooms);
static mqc_status room_number(struct rooms *rooms, mqc_room_function *ask, const char *name,
                              const char *what, void *arg, uintptr_t *number, mqc_error *error);
static mqc_status divide_room(const mqc_allocate_options *options, const mqc_allocation *allocation,
                              const struct rooms *rooms, uintptr_t room, bool everybody, bool *mine,
                              mqc_error *error);

/* ---- by machine room ---- */

/* A run of neighbours each; the first of the ids then get one of the rest. */
mqc_status allocate_by_room(const mqc_allocate_options *options, const mqc_allocation *allocation,
                            bool *mine, mqc_error *error)
{
    size_t index, count = 0;
    struct part part;
    if (!allocate_own_index(allocation, &index)) return allocate_not_listed(allocation, error);
    mqc_status status = part_make(&part, allocation, error);
    if (status != MQC_OK) return status;
    for (size_t i = 0; i < allocation->queue_count; i++) {
        if (room_is_wanted(allocation->queues[i].broker_name, options->rooms))
            part.places[count++] = i;
    }
    size_t size = count / allocation->client_count;
    size_t rest = size * allocation->client_count;
    for (size_t i = index * size; i < (index + 1) * size; i++) mine[part.places[i]] = true;
    if (rest + index < count) mine[part.places[rest + index]] = true;
    part_done(&part);
    return MQC_OK;
}

static bool room_is_wanted(const char *broker_name, const char *rooms)
{
    struct slice room = room_in_name(broker_name), rest = slice_text(rooms);
    while (room.size > 0 && rest.data) {
        if (slice_equal(slice_trim(slice_split(&rest, ";")), room)) return true;
    }
    return false;
}

/* "room@name", where '@'s at the end do not count since Java's split forgets them. */
static struct slice room_in_name(const char *broker_name)
{
    struct slice rest = slice_text(broker_name);
    while (rest.size > 0 && rest.data[rest.size - 1] == '@') rest.size--;
    struct slice room = slice_split(&rest, "@");
    bool one = rest.data && !memchr(rest.data, '@', rest.size);
    return one ? room : SLICE_ABSENT;
}

/* ---- nearby ---- */

mqc_status allocate_nearby(const mqc_allocate_options *options, const mqc_allocation *allocation,
                           bool *mine, mqc_error *error)
{
    size_t index;
    struct rooms rooms = {0};
    if (!allocate_own_index(allocation, &index)) return allocate_not_listed(allocation, error);
    mqc_status status = rooms_find(&rooms, options, allocation, error);
    if (status != MQC_OK) goto out;
    uintptr_t own_room = rooms.of_client[index];
    for (uintptr_t room = 1; room <= rooms.numbers.count && status == MQC_OK; room++) {
        if (room == own_room || !rooms.has_clients[room])
            status = divide_room(options, allocation, &rooms, room, room != own_room, mine, error);
    }
out:
    rooms_done(&rooms);
    return status;
}

static mqc_status rooms_find(struct rooms *rooms, const mqc_allocate_options *options,
                             const mqc_allocation *allocation, mqc_error *error)
{
    mqc_status status = MQC_OK;
    size_t queues = allocation->queue_count, clients = allocation->client_count;
    map_init(&rooms->numbers);
    rooms->of_queue = memory_allocate_zero(queues, sizeof *rooms->of_queue);
    rooms->of_client = memory_allocate_zero(clients, sizeof *rooms->of_client);
    rooms->has_clients = memory_allocate_zero(queues + clients + 1, sizeof *rooms->has_clients);
    if (!rooms->of_queue || !rooms->of_client || !rooms->has_clients) return error_no_memory(error);
    for (size_t i = 0; i < queues && status == MQC_OK; i++)
        status = room_number(rooms, options->room_of_broker, allocation->queues[i].broker_name,
                             "broker", options->arg, &rooms->of_queue[i], error);
    for (size_t i = 0; i < clients && status == MQC_OK; i++) {
        status = room_number(rooms, options->room_of_client, allocation->client_ids[i], "client",
                             options->arg, &rooms->of_client[i], error);
        rooms->has_clients[rooms->of_client[i]] = true;
    }
    return status;
}

static void rooms_done(struct rooms *rooms)
{
    memory_free(rooms->has_clients);
    memory_free(rooms->of_client);
    memory_free(rooms->of_queue);
    map_done(&rooms->numbers);
}

static mqc_status room_number(struct rooms *rooms, mqc_room_function *ask, const char *name,
                              const char *what, void *arg, uintptr_t *number, mqc_error *error)
{
    const char *room = ask(name, arg);
    if (!room || !room[0])
        return error_set(error, MQC_WRONG_STATE, "no machine room is known for the %s %s", what,
                         name);
    *number = (uintptr_t)map_get(&rooms->numbers, slice_text(room));
    if (*number != NOBODY) return MQC_OK;
    *number = rooms->numbers.count + 1;
    if (!map_put(&rooms->numbers, slice_text(room), (void *)*number, NULL))
        return error_no_memory(error);
    return MQC_OK;
}

/* The queues of one room, among its members or everybody. */
static mqc_status divide_room(const mqc_allocate_options *options, const mqc_allocation *allocation,
                              const struct rooms *rooms, uintptr_t room, bool everybody, bool *mine,
                              mqc_error *error)
{
    struct part part;
    bool *own = NULL;
    mqc_status status = part_make(&part, allocation, error);
    if (status != MQC_OK) return status;
    for (size_t i = 0; i < allocation->queue_count; i++) {
        if (rooms->of_queue[i] != room) continue;
        part.places[part.queue_count] = i;
        part.queues[part.queue_count++] = allocation->queues[i];
    }
    for (size_t i = 0; i < allocation->client_count; i++) {
        if (everybody || rooms->of_client[i] == room)
            part.client_ids[part.client_count++] = allocation->client_ids[i];
    }
    mqc_allocation smaller = *allocation;
    smaller.queues = part.queues;
    smaller.queue_count = part.queue_count;
    smaller.client_ids = part.client_ids;
    smaller.client_count = part.client_count;
    mqc_allocate_options within = {.kind = options->within,
                                   .virtual_nodes = options->virtual_nodes};
    own = memory_allocate_zero(part.queue_count, sizeof *own);
    status = own ? allocate_queues(&within, &smaller, own, error) : error_no_memory(error);
    for (size_t i = 0; status == MQC_OK && i < part.queue_count; i++) {
        if (own[i]) mine[part.places[i]] = true;
    }
    memory_free(own);
    part_done(&part);
    return status;
}

/* ---- parts ---- */

/* Empty, with room for all. */
static mqc_status part_make(struct part *part, const mqc_allocation *allocation, mqc_error *error)
{
    *part = (struct part){
        .queues = memory_allocate_zero(allocation->queue_count, sizeof *part->queues),
        .places = memory_allocate_zero(allocation->queue_count, sizeof *part->places),
        .client_ids = memory_allocate_zero(allocation->client_count, sizeof *part->client_ids),
    };
    if (part->queues && part->places && part->client_ids) return MQC_OK;
    part_done(part);
    return error_no_memory(error);
}

static void part_done(struct part *part)
{
    memory_free(part->client_ids);
    memory_free(part->places);
    memory_free(part->queues);
}
