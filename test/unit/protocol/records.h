/* For the tests of stored messages. */
#ifndef TEST_UNIT_PROTOCOL_RECORDS_H
#define TEST_UNIT_PROTOCOL_RECORDS_H

#include "lib/protocol/message.h"
#include "test/unit/protocol/damage.h"

static inline struct message_block *decode(struct slice records)
{
    mqc_error error;
    struct message_block *block;
    assert_ok(message_block_decode(NULL, records, &block, &error), &error);
    return block;
}

/* Decodes what is damaged and uses whatever comes out. `arg` is the size of the whole. */
static inline void decode_damaged(struct slice damaged, void *arg)
{
    mqc_error error;
    struct message_block *block;
    mqc_status status = message_block_decode(NULL, damaged, &block, &error);
    ck_assert_often(status == MQC_OK || status == MQC_BAD_FRAME);
    if (damaged.size < *(size_t *)arg && status == MQC_OK) /* only where a record ends */
        ck_assert_often(!block || block->count < 6);
    for (size_t i = 0; block && i < block->count; i++) {
        mqc_message *message = &block->messages[i];
        status = message_inflate(message, i % 2 == 0, &error);
        ck_assert_often(status == MQC_OK || status == MQC_BAD_FRAME || status == MQC_TOO_BIG);
        ck_assert_often(mqc_message_id(message) != NULL);
        ck_assert_often(mqc_message_born_host(message) != NULL);
        ck_assert_often(message_restore_topic(message, &error) == MQC_OK);
        ck_assert_often(memchr(mqc_message_topic(message), 0, 70000) != NULL);
        mqc_message_tag(message);
    }
    message_block_unref(block);
}

#endif
