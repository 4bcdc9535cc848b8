/* See batches.h. */
#include "test/contract/batches.h"

#include <stdio.h>
#include <stdlib.h>

struct batch *batch_new(const char *topic, const char *prefix, size_t count, size_t bytes)
{
    struct batch *batch = calloc(1, sizeof *batch);
    char *body = calloc(1, bytes + 64);
    ck_assert_ptr_nonnull(batch);
    batch->count = count;
    for (size_t i = 0; i < count; i++) {
        int size = snprintf(body, 64, "%s%zu", prefix, i);
        if ((size_t)size < bytes) memset(body + size, '.', bytes - (size_t)size);
        batch->messages[i] =
            mqc_message_new(topic, body, (size_t)size < bytes ? bytes : (size_t)size);
        batch->items[i] = (mqc_batch_item){.status = MQC_SYSTEM, .request = -7};
    }
    free(body);
    return batch;
}

void batch_free(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        mqc_message_free((mqc_message *)(uintptr_t)batch->messages[i]);
    free(batch);
}

mqc_message *batch_message(struct batch *batch, size_t number)
{
    return (mqc_message *)(uintptr_t)batch->messages[number];
}

mqc_status batch_send(mqc_producer *producer, struct batch *batch, const mqc_send_options *options,
                      mqc_error *error)
{
    return mqc_producer_send_batch(producer, batch->messages, batch->count, options, batch->items,
                                   error);
}

int batch_check_items(const struct batch *batch)
{
    int request = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const mqc_batch_item *item = &batch->items[i], *before = i > 0 ? item - 1 : NULL;
        ck_assert_int_eq(item->status, MQC_OK);
        ck_assert_int_eq(item->send_status, MQC_SEND_OK);
        ck_assert_uint_eq(strlen(item->message_id), 32);
        ck_assert_uint_eq(strlen(item->offset_message_id), 32);
        ck_assert_str_eq(item->queue.topic, mqc_message_topic(batch->messages[0]));
        if (before && item->request == request) {
            ck_assert_int_eq(item->queue.queue_id, before->queue.queue_id);
            ck_assert_int_eq(item->queue_offset, before->queue_offset + 1);
        } else if (before) {
            ck_assert_int_eq(item->request, ++request);
        }
        if (before) ck_assert_str_ne(item->message_id, before->message_id);
        if (before) ck_assert_str_ne(item->offset_message_id, before->offset_message_id);
    }
    return request + 1;
}

void batch_take_answer(const mqc_batch_item *items, size_t count, const mqc_error *error, void *arg)
{
    struct batch_answer *answer = arg;
    ck_assert_uint_eq(count, answer->batch->count);
    memcpy(answer->batch->items, items, count * sizeof *items);
    outcome_note(answer->outcome, error == NULL, error);
}
