/* Dividing queues by consistent hashing (AllocateMessageQueueConsistentHash.java,
 * ConsistentHashRouter.java): every member has some places on a ring of 32-bit hashes, and a queue
 * belongs to the member whose place is next at or after the queue's own hash. Rebalance service. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/consumer/allocate_strategy.h"

struct ring_place {
    uint32_t hash;
    size_t order; /* of two with one hash, that which came last counts */
    size_t member;
};

struct ring {
    struct ring_place *places;
    size_t count;
    struct buffer text; /* of what is hashed now */
    EVP_MD_CTX *context;
};

static mqc_status ring_make(struct ring *ring, int virtual_nodes, const mqc_allocation *allocation,
                            mqc_error *error);
static mqc_status ring_hash(struct ring *ring, uint32_t *hash, mqc_error *error);
static void ring_sort(struct ring *ring);
static size_t ring_owner(const struct ring *ring, uint32_t hash);
static int compare_places(const void *a, const void *b);

mqc_status allocate_by_hash(int virtual_nodes, const mqc_allocation *allocation, bool *mine,
                            mqc_error *error)
{
    size_t index;
    if (!allocate_own_index(allocation, &index)) return allocate_not_listed(allocation, error);
    struct ring ring = {.context = EVP_MD_CTX_new()};
    buffer_init(&ring.text);
    mqc_status status = ring_make(&ring, virtual_nodes, allocation, error);
    for (size_t i = 0; i < allocation->queue_count && status == MQC_OK; i++) {
        const mqc_message_queue *queue = &allocation->queues[i];
        uint32_t hash;
        buffer_clear(&ring.text);
        /* MessageQueue.toString */
        buffer_put_format(&ring.text, "MessageQueue [topic=%s, brokerName=%s, queueId=%d]",
                          queue->topic, queue->broker_name, queue->queue_id);
        status = ring_hash(&ring, &hash, error);
        if (status != MQC_OK) break;
        /* A client that is listed twice is one member. */
        const char *owner = allocation->client_ids[ring_owner(&ring, hash)];
        mine[i] = strcmp(owner, allocation->client_id) == 0;
    }
    buffer_done(&ring.text);
    memory_free(ring.places);
    EVP_MD_CTX_free(ring.context);
    return status;
}

static mqc_status ring_make(struct ring *ring, int virtual_nodes, const mqc_allocation *allocation,
                            mqc_error *error)
{
    size_t most = allocation->client_count * (size_t)virtual_nodes;
    ring->places = memory_allocate_zero(most, sizeof *ring->places);
    if (!ring->places || !ring->context) return error_no_memory(error);
    int number = 0;
    for (size_t member = 0; member < allocation->client_count; member++) {
        const char *id = allocation->client_ids[member];
        bool again = member > 0 && strcmp(id, allocation->client_ids[member - 1]) == 0;
        /* In Java the places of a client that is listed twice are counted on. */
        if (!again) number = 0;
        for (int i = 0; i < virtual_nodes; i++) {
            struct ring_place *place = &ring->places[ring->count];
            *place = (struct ring_place){.order = ring->count, .member = member};
            buffer_clear(&ring->text);
            buffer_put_format(&ring->text, "%s-%d", id, number++);
            mqc_status status = ring_hash(ring, &place->hash, error);
            if (status != MQC_OK) return status;
            ring->count++;
        }
    }
    ring_sort(ring);
    return MQC_OK;
}

/* The first four bytes of its text's MD5. */
static mqc_status ring_hash(struct ring *ring, uint32_t *hash, mqc_error *error)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    const char *text = buffer_text(&ring->text);
    if (!text) return error_no_memory(error);
    if (EVP_DigestInit_ex(ring->context, EVP_md5(), NULL) != 1 ||
        EVP_DigestUpdate(ring->context, text, ring->text.size) != 1 ||
        EVP_DigestFinal_ex(ring->context, digest, &size) != 1)
        return error_set(error, MQC_SYSTEM,
                         "OpenSSL has no MD5 here (FIPS mode?), which the strategy "
                         "CONSISTENT_HASH needs: use another");
    *hash = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
            digest[3];
    return MQC_OK;
}

/* By hash, and one place a hash. */
static void ring_sort(struct ring *ring)
{
    size_t kept = 0;
    qsort(ring->places, ring->count, sizeof *ring->places, compare_places);
    for (size_t i = 0; i < ring->count; i++) {
        if (i + 1 < ring->count && ring->places[i + 1].hash == ring->places[i].hash) continue;
        ring->places[kept++] = ring->places[i];
    }
    ring->count = kept;
}

static size_t ring_owner(const struct ring *ring, uint32_t hash)
{
    size_t low = 0, high = ring->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->places[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return ring->places[low < ring->count ? low : 0].member;
}

static int compare_places(const void *a, const void *b)
{
    const struct ring_place *left = a, *right = b;
    int order = (left->hash > right->hash) - (left->hash < right->hash);
    return order ? order : (left->order > right->order) - (left->order < right->order);
}
