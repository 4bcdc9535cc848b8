/* Sends one message and says where it is.
 *
 *   cc first_message.c $(pkg-config --cflags --libs mqclient) -o first_message
 *   ./first_message 127.0.0.1:9876        (or with the name servers in NAMESRV_ADDR)
 */
#include <mqclient/mqclient.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    mqc_error error = {.text = "out of memory"};
    mqc_send_result result;
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_producer_options options = {.client = &client, .group = "first_message"};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_message *message = mqc_message_new("orders", "hello", 5);
    int code = 1;

    if (!producer || !message || mqc_message_set_tag(message, "new", &error) ||
        mqc_message_set_keys(message, "order-4711", &error) ||
        mqc_message_set_property(message, "shop", "berlin", &error) ||
        mqc_producer_start(producer, &error) ||
        mqc_producer_send(producer, message, NULL, &result, &error)) {
        fprintf(stderr, "%s\n", error.text);
    } else {
        printf("%s is in %s, queue %d, offset %lld\n", result.message_id, result.queue.broker_name,
               result.queue.queue_id, (long long)result.queue_offset);
        code = 0;
    }
    mqc_message_free(message);
    mqc_producer_free(producer);
    return code;
}
