/* Mapping brokers' addresses: see address_map.h. Runs on whichever thread looks routes up. */
#include "lib/client/address_map.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/net/address.h"

static mqc_status split_entry(struct slice entry, struct slice *from, struct slice *to,
                              mqc_error *error);
static mqc_status map_one(const mqc_client_options *options, const char *broker_name,
                          struct broker_address *place, mqc_error *error);
static bool map_by_function(const mqc_client_options *options, const char *broker_name,
                            const struct broker_address *place, char out[ADDRESS_TEXT_BYTES]);
static bool map_by_table(const char *table, const struct address *advertised,
                         struct address *mapped);
static bool has_port(struct slice text);
static void bare_host(struct slice *host);

mqc_status address_map_check(const char *table, mqc_error *error)
{
    struct slice rest = slice_text(table);
    size_t entries = 0;
    while (rest.data) {
        struct slice entry = slice_trim(slice_split(&rest, ";")), from, to;
        if (entry.size == 0) continue;
        mqc_status status = split_entry(entry, &from, &to, error);
        if (status != MQC_OK) return status;
        entries++;
    }
    if (!table || entries > 0) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "brokerAddressMap (address_map) has no entry: give \"advertised=used\", each "
                     "host or host:port");
}

mqc_status address_map_apply(const mqc_client_options *options, struct broker_data *brokers,
                             size_t count, mqc_error *error)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < brokers[i].address_count; j++) {
            mqc_status status =
                map_one(options, brokers[i].broker_name, &brokers[i].addresses[j], error);
            if (status != MQC_OK) return status;
        }
    }
    return MQC_OK;
}

/* What is no address is left for the connection to it to complain about. */
static mqc_status map_one(const mqc_client_options *options, const char *broker_name,
                          struct broker_address *place, mqc_error *error)
{
    struct address address;
    char text[ADDRESS_TEXT_BYTES];
    if (options->map_address && map_by_function(options, broker_name, place, text)) {
        mqc_error why;
        if (address_parse(slice_text(text), &address, &why) != MQC_OK)
            return error_set(error, MQC_BAD_ARGUMENT,
                             "map_address answered for broker %.100s (%.100s): %.200s", broker_name,
                             place->address, why.text);
    } else {
        if (address_parse(slice_text(place->address), &address, NULL) != MQC_OK) return MQC_OK;
        bool mapped = map_by_table(options->address_map, &address, &address);
        if (!mapped && !strchr(address.host, ':')) return MQC_OK;
        address_format(&address, text);
    }
    char *copy = memory_duplicate(text);
    if (!copy) return error_no_memory(error);
    memory_free(place->address);
    place->address = copy;
    return MQC_OK;
}

static bool map_by_function(const mqc_client_options *options, const char *broker_name,
                            const struct broker_address *place, char out[ADDRESS_TEXT_BYTES])
{
    out[0] = '\0';
    bool mapped = options->map_address(broker_name, place->broker_id, place->address, out,
                                       ADDRESS_TEXT_BYTES, options->map_address_arg);
    out[ADDRESS_TEXT_BYTES - 1] = '\0';
    return mapped;
}

/* The first entry that names the address, else the first that names its host. */
static bool map_by_table(const char *table, const struct address *advertised,
                         struct address *mapped)
{
    struct address result = *advertised;
    bool found = false;
    struct slice rest = slice_text(table);
    while (rest.data) {
        struct slice entry = slice_trim(slice_split(&rest, ";")), from, to;
        if (entry.size == 0 || split_entry(entry, &from, &to, NULL) != MQC_OK) continue;
        struct address exact;
        bool whole = has_port(from) && address_parse(from, &exact, NULL) == MQC_OK;
        if (whole && (exact.port != advertised->port || strcmp(exact.host, advertised->host) != 0))
            continue;
        bare_host(&from);
        if (!whole && (found || !slice_is(from, advertised->host))) continue;
        struct address target = *advertised;
        if (!has_port(to)) {
            bare_host(&to);
            memcpy(target.host, to.data, to.size);
            target.host[to.size] = '\0';
        } else if (address_parse(to, &target, NULL) != MQC_OK) {
            continue;
        }
        result = target;
        found = true;
        if (whole) break;
    }
    *mapped = result;
    return found;
}

/* "advertised=used"; both sides host or host:port. */
static mqc_status split_entry(struct slice entry, struct slice *from, struct slice *to,
                              mqc_error *error)
{
    struct slice rest = entry;
    *from = slice_trim(slice_split(&rest, "="));
    *to = slice_trim(rest);
    bool good = from->size > 0 && to->size > 0;
    struct slice sides[2] = {*from, *to};
    for (int i = 0; good && i < 2; i++) {
        char whole[ADDRESS_TEXT_BYTES];
        struct address ignored;
        int size = snprintf(whole, sizeof whole, "%.*s%s", SLICE_FORMAT(sides[i]),
                            has_port(sides[i]) ? "" : ":1");
        good =
            size < (int)sizeof whole && address_parse(slice_text(whole), &ignored, NULL) == MQC_OK;
    }
    if (good) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "brokerAddressMap (address_map) has the entry \"%.*s\": give "
                     "\"advertised=used\", each host or host:port, IPv6 in brackets",
                     SLICE_FORMAT(entry));
}

static bool has_port(struct slice text)
{
    const char *colon = memrchr(text.data, ':', text.size);
    return colon && (text.data[0] != '[' || (colon > text.data && colon[-1] == ']'));
}

/* Without the brackets that an IPv6 address has. */
static void bare_host(struct slice *host)
{
    if (host->size >= 2 && host->data[0] == '[' && host->data[host->size - 1] == ']')
        *host = slice_of(host->data + 1, host->size - 2);
}
