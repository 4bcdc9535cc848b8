/* A user's program, built by check-install against what was installed: uses both libraries. */
#include <stdio.h>
#include <string.h>

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

int main(void)
{
    mqc_error error;
    mqc_embedded *cluster = mqc_embedded_start(NULL, &error);
    if (!cluster) {
        fprintf(stderr, "%s: %s\n", mqc_status_name(error.status), error.text);
        return 1;
    }
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(cluster)};
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "program"}, &error);
    mqc_producer_free(producer);
    mqc_embedded_stop(cluster);
    return producer && strcmp(mqc_version(), MQC_VERSION) == 0 ? 0 : 1;
}
