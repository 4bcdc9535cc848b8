/* Prints messages as a member of a group, until so many have come: ./consumer [NAME_SERVERS
 * [COUNT]]
 */
#include <mqclient/mqclient.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

static sem_t done;

/* Runs on worker threads, several at a time. What it refuses comes again, later and later; after
 * max_reconsume_times (16) it goes to the group's dead letters. */
static mqc_consume_status print(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    mqc_view body = mqc_message_body(message);
    printf("%s %.*s\n", mqc_message_id(message), (int)body.size, (const char *)body.data);
    if (body.size == 0) return MQC_RECONSUME_LATER;
    sem_post(&done);
    return MQC_CONSUME_SUCCESS;
}

int main(int argc, char **argv)
{
    mqc_error error;
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_push_consumer_options options = {.client = &client,
                                               .group = "printers",
                                               .listener = print,
                                               .from = MQC_FROM_FIRST,
                                               .threads = 4};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    int code = 1;

    sem_init(&done, 0, 0);
    if (!consumer || mqc_push_consumer_subscribe(consumer, "orders", "new || changed", &error) ||
        mqc_push_consumer_start(consumer, &error)) {
        fprintf(stderr, "%s\n", error.text);
    } else {
        for (int left = argc > 2 ? atoi(argv[2]) : 1; left > 0; left--) sem_wait(&done);
        code = 0;
    }
    mqc_push_consumer_free(consumer); /* finishes what runs, commits, leaves the group */
    return code;
}
