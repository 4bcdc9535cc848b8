/* What all stores of offsets have in common. */
#include "lib/consumer/offset_store.h"

void offset_store_init(struct offset_store *store, const struct offset_store_type *type)
{
    reference_init(&store->references);
    store->type = type;
    intern_init(&store->names);
}

void offset_store_done(struct offset_store *store)
{
    intern_done(&store->names);
}

void offset_store_ref(struct offset_store *store)
{
    reference_take(&store->references);
}

void offset_store_unref(struct offset_store *store)
{
    if (store && reference_drop(&store->references)) store->type->destroy(store);
}

void offset_store_flush(struct offset_store *store)
{
    if (store->type->flush) store->type->flush(store);
}

void offset_store_end(struct offset_store *store)
{
    if (store->type->end) store->type->end(store);
}
