/* The JSON bodies of all answers and requests. The first byte chooses the decoder. */
#include "lib/protocol/bodies.h"
#include "lib/protocol/heartbeat.h"
#include "lib/protocol/lock_bodies.h"
#include "lib/protocol/relaxed_json.h"
#include "lib/protocol/topic_route.h"
#include "test/fuzz/fuzz.h"

static void read_route(struct slice body)
{
    struct topic_route *route, *again;
    struct buffer text;
    if (topic_route_decode(body, &route, NULL) != MQC_OK) return;
    buffer_init(&text);
    topic_route_encode(route, &text);
    if (!text.failed && topic_route_decode(buffer_slice(&text), &again, NULL) == MQC_OK)
        topic_route_unref(again);
    buffer_done(&text);
    topic_route_unref(route);
}

static void read_cluster(struct slice body)
{
    struct cluster_info info;
    if (cluster_info_decode(body, &info, NULL) == MQC_OK) cluster_info_done(&info);
}

static void read_heartbeat(struct slice body)
{
    struct heartbeat heartbeat;
    struct buffer text;
    if (heartbeat_decode(body, &heartbeat, NULL) != MQC_OK) return;
    buffer_init(&text);
    heartbeat_encode(&heartbeat, &text);
    buffer_done(&text);
    heartbeat_decoded_done(&heartbeat);
}

static void read_names(struct slice body)
{
    struct name_list list;
    if (consumer_list_decode(body, &list, NULL) == MQC_OK) name_list_done(&list);
    if (topic_list_decode(body, &list, NULL) == MQC_OK) name_list_done(&list);
}

static void visit(struct slice topic, struct slice broker_name, int32_t queue_id, int64_t offset,
                  void *arg)
{
    int64_t *sum = arg;
    *sum ^= offset + queue_id + (int64_t)(topic.size + broker_name.size);
}

static void read_offsets(struct slice body)
{
    int64_t sum = 0;
    reset_offset_decode(body, visit, &sum, NULL);
}

static void read_locks(struct slice body)
{
    static const mqc_message_queue queues[] = {{"t", "b", 0}, {"t", "b", 1}};
    bool locked[2];
    lock_response_decode(body, NULL, queues, 2, locked, NULL);
    lock_response_decode(body, "ns", queues, 2, locked, NULL);
}

static void read_json(struct slice body)
{
    json_t *json;
    if (relaxed_json_parse(body, "the text", &json, NULL) == MQC_OK) json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static void (*const readers[])(struct slice body) = {
        read_route, read_cluster, read_heartbeat, read_names, read_offsets, read_json, read_locks};
    if (size == 0) return 0;
    readers[bytes[0] % (sizeof readers / sizeof *readers)](slice_of(bytes + 1, size - 1));
    return 0;
}
