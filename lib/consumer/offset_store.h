/* Where a group's offsets are kept: at the brokers (remote_offsets.c), or elsewhere for members
 * that do not share them. Counted, because an answer may come after the consumer's end. */
#ifndef CONSUMER_OFFSET_STORE_H
#define CONSUMER_OFFSET_STORE_H

#include "lib/base/intern.h"
#include "lib/client/client_instance.h"

struct offset_store;
struct offset_record;

struct offset_store_type {
    /* What is stored; -1 when nothing is. Any failure is an error and never a number: taken for
     * "nothing" it would skip or repeat messages. May block. */
    mqc_status (*query)(struct offset_store *store, const struct offset_place *place,
                        int64_t deadline_ms, int64_t *offset, mqc_error *error);
    /* Stores an offset, up or down, and waits until that is done. */
    mqc_status (*update)(struct offset_store *store, const struct offset_place *place,
                         int64_t offset, int64_t deadline_ms, mqc_error *error);
    /* The same without waiting. After MQC_OK offset_record_stored is called exactly once, with no
     * lock held, perhaps before this returns; the record is held until then. */
    mqc_status (*begin_update)(struct offset_store *store, const struct offset_place *place,
                               int64_t offset, struct offset_record *record, mqc_error *error);
    /* Another number each time that who keeps the offset may have forgotten it, or is somebody
     * else: what was stored is to be stored again. May be NULL: never. */
    uint64_t (*news)(struct offset_store *store, const struct offset_place *place);
    /* The first that is stored of a queue may be lost although it was answered. */
    bool may_lose_first;
    /* After a round of updates: brings what was only noted to where it lasts. May be NULL. */
    void (*flush)(struct offset_store *store);
    /* The consumer has come to its end, though answers and messages may still refer to the store:
     * another may have what it lasts in. May be NULL. */
    void (*end)(struct offset_store *store);
    void (*destroy)(struct offset_store *store); /* calls offset_store_done and frees */
};

struct offset_store {
    struct reference references;
    const struct offset_store_type *type;
    struct intern names; /* of records: they live as long as the store */
};

void offset_store_init(struct offset_store *store, const struct offset_store_type *type);
void offset_store_done(struct offset_store *store);
void offset_store_ref(struct offset_store *store);
void offset_store_unref(struct offset_store *store); /* NULL is fine */
void offset_store_flush(struct offset_store *store);
void offset_store_end(struct offset_store *store);

/* The brokers (RemoteBrokerOffsetStore.java). The instance may end before the store does, as no
 * call comes after it. */
mqc_status remote_offsets_new(struct client_instance *instance, struct offset_store **out,
                              mqc_error *error);

/* A file in `folder`, or, without one, nothing that lasts. */
mqc_status local_offsets_new(const char *folder, struct offset_store **out, mqc_error *error);

#endif
