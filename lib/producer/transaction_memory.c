/* What a producer knows of its transactions: see transactions.h. Called by the threads that send
 * and by those that answer checks. */
#include "lib/base/memory.h"
#include "lib/producer/transactions.h"

static struct transaction *enter(struct transactions *transactions, const char *id)
    REQUIRES(transactions->lock);
static void leave(struct transactions *transactions, struct transaction *transaction)
    REQUIRES(transactions->lock);
static void keep(struct transactions *transactions, struct transaction *transaction,
                 mqc_transaction_state decision, bool acknowledged) REQUIRES(transactions->lock);
static mqc_transaction_state repeat(const struct transaction *transaction);

void transactions_init(struct transactions *transactions)
{
    *transactions = (struct transactions){0};
    lock_init(&transactions->lock, LOCK_RANK_LEAF);
    map_init(&transactions->by_id);
    list_init(&transactions->decided);
    list_init(&transactions->checks);
}

void transactions_done(struct transactions *transactions)
{
    struct map_entry entry;
    for (size_t at = 0; map_next(&transactions->by_id, &at, &entry);) memory_free(entry.value);
    map_done(&transactions->by_id);
    lock_done(&transactions->lock);
}

struct transaction *transaction_begin(struct transactions *transactions, const char *id)
{
    lock_take(&transactions->lock);
    struct transaction *transaction = enter(transactions, id);
    lock_release(&transactions->lock);
    return transaction;
}

bool transaction_ending(struct transactions *transactions, struct transaction *transaction,
                        struct half_place *place)
{
    lock_take(&transactions->lock);
    transaction->phase = TRANSACTION_ENDING;
    bool checked = transaction->checked;
    if (checked) *place = transaction->place;
    lock_release(&transactions->lock);
    return checked;
}

void transaction_decided(struct transactions *transactions, struct transaction *transaction,
                         mqc_transaction_state decision, bool acknowledged)
{
    lock_take(&transactions->lock);
    keep(transactions, transaction, decision, acknowledged);
    lock_release(&transactions->lock);
}

void transaction_forget(struct transactions *transactions, struct transaction *transaction)
{
    lock_take(&transactions->lock);
    leave(transactions, transaction);
    lock_release(&transactions->lock);
}

bool transaction_recall(struct transactions *transactions, const struct transaction_check *check,
                        mqc_transaction_state *answer)
{
    bool known = false;
    lock_take(&transactions->lock);
    struct transaction *transaction =
        map_get(&transactions->by_id, slice_text(check->transaction_id));
    if (transaction && transaction->phase != TRANSACTION_DECIDED) {
        known = true;
        *answer = MQC_TRANSACTION_UNKNOWN;
        transaction->checked = true;
        memcpy(transaction->place.address, check->address, sizeof check->address);
        transaction->place.table_offset = check->table_offset;
        transaction->place.commit_log_offset = check->commit_log_offset;
    } else if (transaction) {
        known = true;
        *answer = repeat(transaction);
    }
    lock_release(&transactions->lock);
    return known;
}

void transaction_answered(struct transactions *transactions, const char *id,
                          mqc_transaction_state decision, bool acknowledged)
{
    lock_take(&transactions->lock);
    struct transaction *transaction = map_get(&transactions->by_id, slice_text(id));
    if (!transaction) {
        transaction = enter(transactions, id);
        if (transaction) keep(transactions, transaction, decision, acknowledged);
    } else if (transaction->phase == TRANSACTION_DECIDED) {
        transaction->acknowledged = transaction->acknowledged || acknowledged;
    }
    lock_release(&transactions->lock);
}

/* A commit that has been acknowledged is not said again: the broker would bring the message to its
 * consumers once more. */
static mqc_transaction_state repeat(const struct transaction *transaction)
{
    return transaction->acknowledged ? MQC_TRANSACTION_ROLLBACK : transaction->decision;
}

static struct transaction *enter(struct transactions *transactions, const char *id)
{
    struct transaction *transaction = memory_allocate_zero(1, sizeof *transaction);
    if (!transaction) return NULL;
    list_init(&transaction->link);
    transaction->phase = TRANSACTION_EXECUTING;
    size_t size = strlen(id);
    memcpy(transaction->id, id, size < MESSAGE_ID_BYTES ? size : MESSAGE_ID_BYTES - 1);
    if (map_put(&transactions->by_id, slice_text(transaction->id), transaction, NULL))
        return transaction;
    memory_free(transaction);
    return NULL;
}

/* What nobody has decided is not remembered: the next check asks the listener. */
static void keep(struct transactions *transactions, struct transaction *transaction,
                 mqc_transaction_state decision, bool acknowledged)
{
    if (decision == MQC_TRANSACTION_UNKNOWN) {
        leave(transactions, transaction);
        return;
    }
    transaction->phase = TRANSACTION_DECIDED;
    transaction->decision = decision;
    transaction->acknowledged = acknowledged;
    list_append(&transactions->decided, &transaction->link);
    if (++transactions->decided_count > TRANSACTIONS_REMEMBERED)
        leave(transactions, CONTAINER_OF(transactions->decided.next, struct transaction, link));
}

static void leave(struct transactions *transactions, struct transaction *transaction)
{
    map_remove(&transactions->by_id, slice_text(transaction->id));
    if (transaction->phase == TRANSACTION_DECIDED) transactions->decided_count--;
    list_remove(&transaction->link);
    memory_free(transaction);
}
