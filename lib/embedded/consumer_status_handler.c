/* INVOKE_BROKER_TO_GET_CONSUMER_STATUS: asks the members of a group for the offsets they have in
 * memory, one after the other (Broker2Client.getConsumeStatus). On the I/O thread; the answer comes
 * when the last member has answered. */
#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/bodies.h"
#include "lib/protocol/relaxed_json.h"

enum { CLIENT_ANSWERS_MS = 5000 };

/* A round through the members. */
struct round {
    struct broker *broker;
    char *topic, *group;
    struct name_list members; /* client ids */
    size_t asked;             /* so many of them */
    struct buffer body;
    bool any;
};

static void ask_next(struct round *round, const struct reply *origin);

static void round_free(struct round *round)
{
    name_list_done(&round->members);
    buffer_done(&round->body);
    memory_free(round->topic);
    memory_free(round->group);
    memory_free(round);
}

static void finish(struct round *round, const struct reply *origin)
{
    buffer_put_text(&round->body, "},\"messageQueueTable\":{}}");
    if (round->body.failed)
        reply_refuse(origin, RESPONSE_SYSTEM_ERROR, "the embedded broker is out of memory");
    else
        reply_send(origin, &(struct answer){.body = buffer_slice(&round->body)});
    round_free(round);
}

/* The object behind a name in a JSON text whose keys may be objects, as it stands; absent when
 * there is none. */
static struct slice object_behind(struct slice text, const char *name)
{
    size_t length = strlen(name);
    const char *at = text.data ? memmem(text.data, text.size, name, length) : NULL;
    if (!at) return SLICE_ABSENT;
    const char *begin = at + length, *end = text.data + text.size;
    int depth = 0;
    bool quoted = false;
    for (const char *c = begin; c < end; c++) {
        if (*c == '\\' && quoted)
            c++;
        else if (*c == '"')
            quoted = !quoted;
        else if (!quoted && *c == '{')
            depth++;
        else if (!quoted && *c == '}' && --depth == 0)
            return slice_of(begin, (size_t)(c + 1 - begin));
        if (depth == 0) break;
    }
    return SLICE_ABSENT;
}

static void answered(const struct reply *origin, const struct remoting_command *answer)
{
    struct round *round = (struct round *)(uintptr_t)origin->note;
    struct slice table = answer && answer->code == RESPONSE_SUCCESS
                             ? object_behind(answer->body, "\"messageQueueTable\":")
                             : SLICE_ABSENT;
    if (table.data) {
        if (round->any) buffer_put_8(&round->body, ',');
        json_put_text(&round->body, slice_text(round->members.names[round->asked - 1]));
        buffer_put_8(&round->body, ':');
        buffer_put_slice(&round->body, table);
        round->any = true;
    }
    ask_next(round, origin);
}

static void ask_next(struct round *round, const struct reply *origin)
{
    const struct consumers *consumers =
        clients_consumers(&round->broker->clients, slice_text(round->group));
    struct get_consumer_status_header header = {.topic = slice_text(round->topic),
                                                .consumer_group = slice_text(round->group)};
    while (consumers && origin->connection->fd >= 0 && round->asked < round->members.count) {
        struct slice id = slice_text(round->members.names[round->asked++]);
        const struct member *member = clients_member(&consumers->members, id);
        if (member && push_request(member->connection, REQUEST_GET_CONSUMER_STATUS_FROM_CLIENT,
                                   &get_consumer_status_layout, &header, SLICE_ABSENT,
                                   CLIENT_ANSWERS_MS, origin, answered))
            return;
    }
    finish(round, origin);
}

/* NULL: no memory. */
static struct round *round_new(struct request *request,
                               const struct get_consumer_status_header *header)
{
    struct round *round = memory_allocate_zero(1, sizeof *round);
    if (!round) return NULL;
    buffer_init(&round->body);
    round->broker = request->broker;
    round->topic = slice_duplicate(header->topic);
    round->group = slice_duplicate(header->consumer_group);
    buffer_put_text(&round->body, "{\"consumerTable\":{");
    const struct consumers *consumers =
        clients_consumers(&request->broker->clients, header->consumer_group);
    bool fine = round->topic && round->group && consumers;
    if (fine) LIST_EACH(&consumers->members, link)
        {
            const struct member *member = CONTAINER_OF(link, struct member, in_group);
            struct slice id = slice_text(member->client_id);
            bool wanted =
                header->client_address.size == 0 || slice_equal(header->client_address, id);
            if (wanted && !name_list_add(&round->members, id)) fine = false;
        }
    if (fine) return round;
    round_free(round);
    return NULL;
}

void consumer_status_handle(struct request *request)
{
    struct get_consumer_status_header header;
    if (!request_header(request, &get_consumer_status_layout, &header)) return;
    if (!clients_consumers(&request->broker->clients, header.consumer_group)) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR,
                       "No Any Consumer online in the consumer group: [%.*s]",
                       SLICE_FORMAT(header.consumer_group));
        return;
    }
    struct round *round = round_new(request, &header);
    if (!round) {
        request_no_memory(request);
        return;
    }
    request->reply.note = (int64_t)(uintptr_t)round;
    ask_next(round, &request->reply);
}
