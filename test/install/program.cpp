/* A user's program in C++: a message to the embedded cluster. */
#include <cstdio>
#include <memory>

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

int main()
{
    mqc_error error;
    std::unique_ptr<mqc_embedded, void (*)(mqc_embedded *)> cluster(
        mqc_embedded_start(nullptr, &error), mqc_embedded_stop);
    if (!cluster) return std::fprintf(stderr, "%s\n", error.text), 1;
    mqc_client_options client{};
    client.name_servers = mqc_embedded_name_servers(cluster.get());
    mqc_producer_options options{};
    options.client = &client;
    options.group = "program";
    std::unique_ptr<mqc_producer, void (*)(mqc_producer *)> producer(
        mqc_producer_new(&options, &error), mqc_producer_free);
    std::unique_ptr<mqc_message, void (*)(mqc_message *)> message(
        mqc_message_new("topic", "hello", 5), mqc_message_free);
    if (!producer || !message || mqc_producer_start(producer.get(), &error) != MQC_OK ||
        mqc_producer_send(producer.get(), message.get(), nullptr, nullptr, &error) != MQC_OK)
        return std::fprintf(stderr, "%s\n", error.text), 1;
    return 0;
}
