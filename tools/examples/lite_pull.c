/* Fetches messages when the program wants some, and says itself what is done: at most COUNT, until
 * none has come for a second. ./lite_pull [NAME_SERVERS [COUNT]]
 */
#include <mqclient/mqclient.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    mqc_error error;
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_lite_consumer_options options = {
        .client = &client, .group = "readers", .from = MQC_FROM_FIRST, .no_auto_commit = true};
    size_t most = argc > 2 ? strtoul(argv[2], NULL, 10) : SIZE_MAX, count = 0;
    mqc_lite_consumer *consumer = mqc_lite_consumer_new(&options, &error);
    mqc_status status =
        consumer ? mqc_lite_consumer_subscribe(consumer, "readings", "*", &error) : error.status;
    if (status == MQC_OK) status = mqc_lite_consumer_start(consumer, &error);

    bool any = true;
    while (status == MQC_OK && count < most && (any || count == 0)) {
        mqc_delivery *delivery; /* ours until it is freed; NULL when none came in time */
        status = mqc_lite_consumer_poll(consumer, 1000, &delivery, &error);
        if (status != MQC_OK) break;
        any = delivery != NULL;
        for (size_t i = 0; any && i < mqc_delivery_count(delivery); i++) {
            mqc_view body = mqc_message_body(mqc_delivery_at(delivery, i));
            printf("%.*s\n", (int)body.size, (const char *)body.data);
            count++;
        }
        mqc_delivery_free(delivery);
        /* All that was polled so far is done: after a crash the group goes on behind it. */
        if (any) status = mqc_lite_consumer_commit(consumer, &error);
    }
    if (status != MQC_OK) fprintf(stderr, "%s\n", error.text);
    mqc_lite_consumer_free(consumer);
    return status != MQC_OK;
}
