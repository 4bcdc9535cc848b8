/* The texts by which popped messages are acknowledged, handles of delayed ones, and how a broker
 * shares queues out. The first line is a ticket, a handle and a topic; all of it lists, an
 * answer to QUERY_ASSIGNMENT, and the properties of a message that was popped. */
#include "lib/base/memory.h"
#include "lib/protocol/assignment.h"
#include "lib/protocol/pop_tickets.h"
#include "lib/protocol/recall_handle.h"
#include "test/fuzz/fuzz.h"

static void read_ticket(struct slice text)
{
    struct pop_ticket ticket, again;
    char out[POP_TICKET_BYTES];
    if (pop_ticket_parse(text, &ticket, NULL) != MQC_OK) return;
    FUZZ_HOLDS(pop_ticket_format(&ticket, "broker-a", out));
    FUZZ_HOLDS(pop_ticket_parse(slice_text(out), &again, NULL) == MQC_OK);
    FUZZ_HOLDS(again.begin == ticket.begin && again.popped_unix_ms == ticket.popped_unix_ms &&
               again.invisible_ms == ticket.invisible_ms && again.topic == ticket.topic &&
               again.revive_queue_id == ticket.revive_queue_id &&
               again.queue_id == ticket.queue_id && again.offset == ticket.offset);
}

static void read_handle(struct slice line)
{
    struct recall_handle handle;
    char *text = slice_duplicate(line);
    if (text && recall_handle_decode(text, &handle, NULL) == MQC_OK)
        FUZZ_HOLDS(handle.topic.size > 0 && handle.message_id.data + handle.message_id.size <=
                                                handle.text + sizeof handle.text);
    memory_free(text);
}

static void read_topic(struct slice line)
{
    struct slice topic = line, stored = slice_split(&topic, " ");
    char name[64];
    enum pop_topic kind = pop_topic_of(stored, topic);
    char *text = slice_duplicate(stored);
    if (text && pop_topic_name(kind, "group", text, name, sizeof name))
        FUZZ_HOLDS(strlen(name) < sizeof name);
    memory_free(text);
}

static void read_lists(struct slice text)
{
    for (int topic = POP_TOPIC_ITSELF; topic <= POP_TOPIC_RETRY_2; topic++)
        for (int32_t queue_id = -1; queue_id < 4; queue_id++) {
            pop_list_begin(text, (enum pop_topic)topic, queue_id);
            pop_list_offset(text, (enum pop_topic)topic, queue_id, 0);
            pop_list_offset(text, (enum pop_topic)topic, queue_id, 31);
        }
}

/* Two messages of a queue and one that was popped before, whose properties are the text. */
static void read_answer(struct slice text)
{
    enum { COUNT = 3 };
    struct pop_ticket tickets[COUNT];
    struct pop_message_response_header header = {
        .start_offsets = text, .message_offsets = text, .order_counts = text};
    struct message_block *block =
        memory_allocate_zero(1, sizeof *block + COUNT * sizeof *block->messages);
    if (!block) return;
    block->count = COUNT;
    for (int i = 0; i < COUNT; i++) {
        block->messages[i].stored_topic = SLICE_LITERAL("topic");
        block->messages[i].queue_offset = COUNT - i;
    }
    block->messages[COUNT - 1].properties = text;
    if (pop_tickets_make(block, &header, SLICE_LITERAL("topic"), tickets, NULL) == MQC_OK)
        for (int i = 0; i < COUNT; i++)
            FUZZ_HOLDS(tickets[i].topic <= POP_TOPIC_RETRY_2 && tickets[i].queue_id >= 0);
    memory_free(block);
}

static void visit(struct slice broker_name, int32_t queue_id, bool pop, void *arg)
{
    size_t *visited = arg;
    FUZZ_HOLDS(broker_name.data && queue_id >= -1);
    *visited += pop;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice text = slice_of(bytes, size), rest = text;
    struct slice line = slice_split(&rest, "\n");
    size_t visited = 0;
    bool known;
    read_ticket(line);
    read_handle(line);
    read_topic(line);
    read_lists(text);
    read_answer(text);
    assignment_decode(text, visit, &visited, &known, NULL);
    return 0;
}
