/* What users and services give as text: option files, lists of name servers as they come over HTTP
 * or from the environment, addresses. */
#include <mqclient/options.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "lib/client/name_servers.h"
#include "test/fuzz/fuzz.h"

static void read_name_servers(const char *text)
{
    struct name_servers servers;
    char chosen[ADDRESS_TEXT_BYTES], list[64], url[64];
    name_servers_init(&servers);
    if (name_servers_set(&servers, text, NULL, NULL) == MQC_OK) {
        FUZZ_HOLDS(name_servers_count(&servers) > 0);
        FUZZ_HOLDS(name_servers_chosen(&servers, chosen));
        name_servers_format(&servers, list, sizeof list);
    }
    name_servers_url(text, "unit", url, sizeof url);
    name_servers_done(&servers);
}

static void read_answer(struct slice answer)
{
    struct name_servers servers;
    name_servers_init(&servers);
    if (name_servers_read(&servers, answer, NULL, NULL) == MQC_OK)
        FUZZ_HOLDS(name_servers_count(&servers) > 0);
    name_servers_done(&servers);
}

static void read_file(struct slice text)
{
    char path[64];
    mqc_client_options client = {.name_servers = NULL};
    mqc_options *options = mqc_options_new();
    int fd = memfd_create("options", MFD_CLOEXEC);
    FUZZ_HOLDS(fd >= 0 && write(fd, text.data, text.size) == (ssize_t)text.size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (options && mqc_options_read_file(options, path, NULL) == MQC_OK)
        mqc_options_to_client(options, &client);
    close(fd);
    mqc_options_free(options);
}

static void read_address(struct slice text)
{
    struct address address;
    char again[ADDRESS_TEXT_BYTES];
    if (address_parse(text, &address, NULL) != MQC_OK) return;
    address_format(&address, again);
    FUZZ_HOLDS(address_parse(slice_text(again), &address, NULL) == MQC_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = memory_copy(bytes, size);
    mqc_options *options = mqc_options_new();
    read_answer(slice_of(bytes, size));
    read_file(slice_of(bytes, size));
    if (text && options) {
        char *value = strchr(text, '=');
        read_address(slice_of(bytes, size));
        read_name_servers(text);
        if (value) {
            *value++ = '\0';
            mqc_options_set(options, text, value, NULL);
        }
    }
    mqc_options_free(options);
    memory_free(text);
    return 0;
}
