/* Sends over TLS, signed: ./tls_acl NAME_SERVERS CA_FILE, with the keys in the environment, since
 * every user of a machine can read command lines.
 */
#include <mqclient/mqclient.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 3) return fprintf(stderr, "usage: tls_acl NAME_SERVERS CA_FILE\n"), 2;
    mqc_error error = {.text = "out of memory"};
    const mqc_client_options client = {
        .name_servers = argv[1],
        .access_key = getenv("MQ_ACCESS_KEY"),
        .secret_key = getenv("MQ_SECRET_KEY"),
        /* Brokers are checked against the authorities in CA_FILE (default: the system's) and must
         * be who the address says. For mutual TLS: certificate_file and key_file. */
        .tls = {.enabled = true, .ca_file = argv[2]},
    };
    const mqc_producer_options options = {.client = &client, .group = "safe_senders"};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_message *message = mqc_message_new("orders", "nobody else reads this", 22);
    mqc_send_result result;
    int code = 1;

    if (!producer || !message || mqc_producer_start(producer, &error) ||
        mqc_producer_send(producer, message, NULL, &result, &error)) {
        /* MQC_TLS: the connection; MQC_REFUSED with broker_code 16: the keys or their rights. */
        fprintf(stderr, "%s: %s\n", mqc_status_name(error.status), error.text);
    } else {
        printf("%s\n", result.message_id);
        code = 0;
    }
    mqc_message_free(message);
    mqc_producer_free(producer);
    return code;
}
