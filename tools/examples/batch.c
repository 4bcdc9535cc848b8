/* Sends a hundred messages in as few requests as they fit into, and looks what became of each.
 */
#include <mqclient/mqclient.h>
#include <stdio.h>

enum { COUNT = 100 };

int main(int argc, char **argv)
{
    mqc_error error = {.text = "out of memory"};
    mqc_message *messages[COUNT] = {NULL};
    mqc_batch_item items[COUNT];
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_producer_options options = {.client = &client, .group = "batches"};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_status status = producer ? mqc_producer_start(producer, &error) : error.status;

    for (int i = 0; i < COUNT; i++) {
        char body[32];
        int size = snprintf(body, sizeof body, "reading %d", i);
        messages[i] = mqc_message_new("readings", body, (size_t)size);
        if (!messages[i]) status = MQC_NO_MEMORY;
    }
    if (status == MQC_OK) {
        status = mqc_producer_send_batch(producer, (const mqc_message *const *)messages, COUNT,
                                         NULL, items, &error);
        /* Requests go one after the other: what comes behind a failed one was not sent. */
        int accepted = 0;
        while (accepted < COUNT && items[accepted].status == MQC_OK) accepted++;
        printf("%d of %d are stored\n", accepted, COUNT);
    }
    if (status != MQC_OK) fprintf(stderr, "%s\n", error.text);
    for (int i = 0; i < COUNT; i++) mqc_message_free(messages[i]);
    mqc_producer_free(producer);
    return status != MQC_OK;
}
