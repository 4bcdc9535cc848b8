/* A test of a program that sends, without a broker: the cluster is in the test's process, and fails
 * when it is told to. Build it with $(pkg-config --cflags --libs mqembedded).
 */
#include <assert.h>
#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>
#include <stdio.h>
#include <string.h>

/* What is tested. */
static mqc_status report_sale(mqc_producer *producer, const char *what, mqc_error *error)
{
    mqc_message *message = mqc_message_new("sales", what, strlen(what));
    mqc_status status =
        message ? mqc_producer_send(producer, message, NULL, NULL, error) : MQC_NO_MEMORY;
    mqc_message_free(message);
    return status;
}

int main(void)
{
    mqc_error error;
    mqc_embedded *cluster = mqc_embedded_start(NULL, &error);
    assert(cluster);
    const mqc_client_options client = {.name_servers = mqc_embedded_name_servers(cluster)};
    const mqc_producer_options options = {
        .client = &client, .group = "shop", .send_timeout_ms = 9000};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_status started = producer ? mqc_producer_start(producer, &error) : error.status;
    assert(started == MQC_OK);

    /* A sale is stored, also when the broker is busy (code 2) at the first attempt. */
    mqc_status added =
        mqc_embedded_add_fault_text(cluster, "answer=2:code=310:count=1", NULL, &error);
    assert(added == MQC_OK);
    mqc_status sent = report_sale(producer, "shoes", &error);
    assert(sent == MQC_OK);
    assert(mqc_embedded_message_count(cluster, "sales") == 1);
    assert(mqc_embedded_request_count(cluster, 310) == 2);

    /* With the broker down it fails, and the error says so. */
    mqc_status down = mqc_embedded_broker_down(cluster, 0, 0, &error);
    assert(down == MQC_OK);
    sent = report_sale(producer, "hats", &error);
    assert(sent != MQC_OK && error.text[0] != '\0');

    puts("all good");
    (void)started, (void)added, (void)down, (void)sent; /* for NDEBUG */
    mqc_producer_free(producer);
    mqc_embedded_stop(cluster);
    return 0;
}
