/* Sends messages that consumers get later, and takes one of them back. Times of one's own want
 * brokers from 5.0 on, recalling recallMessageEnable=true; with older brokers use the fixed levels
 * of mqc_message_set_delay_level.
 */
#include <mqclient/mqclient.h>
#include <stdio.h>
#include <string.h>

static mqc_status send(mqc_producer *producer, const char *body, int64_t seconds,
                       mqc_send_result *result, mqc_error *error)
{
    mqc_message *message = mqc_message_new("reminders", body, strlen(body));
    mqc_status status =
        message ? mqc_message_set_delay_seconds(message, seconds, error) : MQC_NO_MEMORY;
    if (status == MQC_OK) status = mqc_producer_send(producer, message, NULL, result, error);
    mqc_message_free(message);
    return status;
}

int main(int argc, char **argv)
{
    mqc_error error;
    mqc_send_result tea, cake;
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_producer_options options = {.client = &client, .group = "reminders"};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    int code = 1;

    if (!producer || mqc_producer_start(producer, &error) ||
        send(producer, "the tea is ready", 180, &tea, &error) ||
        send(producer, "the cake is ready", 3600, &cake, &error)) {
        fprintf(stderr, "%s\n", error.text);
    } else {
        printf("%s comes in 3 minutes\n", tea.message_id);
        code = 0;
        /* There will be no cake. The handle may be kept, and used by another process. */
        if (mqc_producer_recall(producer, "reminders", cake.recall_handle, 0, NULL, &error) == 0)
            printf("%s never comes\n", cake.message_id);
        else
            fprintf(stderr, "not recalled: %s\n", error.text);
    }
    mqc_producer_free(producer);
    return code;
}
