/* A sale and the message that tells of it: consumers get the message if, and only if, the sale is
 * in the database. Here the database is an array; with yours, store transaction->id in the same
 * local transaction as the sale.
 */
#include <mqclient/mqclient.h>
#include <stdio.h>
#include <string.h>

struct sale {
    const char *what;
    int pieces;
};
static char sold[16][64]; /* the database: ids of transactions that were committed */
static int sold_count;

/* The local transaction, on the thread that sends. */
static mqc_transaction_state sell(const mqc_transaction *transaction, void *arg)
{
    const struct sale *sale = arg;
    if (sale->pieces > 10) return MQC_TRANSACTION_ROLLBACK; /* we have not so many */
    snprintf(sold[sold_count++], sizeof sold[0], "%s", transaction->id);
    return MQC_TRANSACTION_COMMIT;
}

/* The broker was not told how a transaction ended, perhaps as the process that began it has died.
 */
static mqc_transaction_state look_up(const mqc_transaction *transaction, void *arg)
{
    (void)arg;
    for (int i = 0; i < sold_count; i++)
        if (strcmp(sold[i], transaction->id) == 0) return MQC_TRANSACTION_COMMIT;
    return MQC_TRANSACTION_ROLLBACK;
}

int main(int argc, char **argv)
{
    struct sale sales[] = {{"shoes", 2}, {"hats", 100}};
    mqc_error error;
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_producer_options options = {.client = &client, .group = "sellers"};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_status status = producer ? MQC_OK : error.status;

    if (status == MQC_OK) status = mqc_producer_on_check(producer, look_up, NULL, &error);
    if (status == MQC_OK) status = mqc_producer_start(producer, &error);
    for (size_t i = 0; status == MQC_OK && i < 2; i++) {
        mqc_message *message = mqc_message_new("sales", sales[i].what, strlen(sales[i].what));
        mqc_transaction_result result;
        if (!message) return 1;
        status = mqc_producer_send_transaction(producer, message, NULL, sell, &sales[i], &result,
                                               &error);
        if (status == MQC_OK)
            printf("%s: %s\n", sales[i].what,
                   result.state == MQC_TRANSACTION_COMMIT ? "sold" : "not sold, and nobody hears");
        mqc_message_free(message);
    }
    if (status != MQC_OK) fprintf(stderr, "%s\n", error.text);
    mqc_producer_free(producer);
    return status != MQC_OK;
}
