/* The name servers' list: see name_servers.h. Any thread; nothing blocks but the fetch over HTTP.
 */
#include "lib/client/name_servers.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/base/process.h"
#include "lib/net/http.h"

static mqc_status parse(const char *list, char out[][ADDRESS_TEXT_BYTES], size_t *count,
                        mqc_error *error);
static bool mark(struct name_servers *servers, const char *address, bool failing);
static void shuffle(char addresses[][ADDRESS_TEXT_BYTES], size_t count);
static bool contains(char addresses[][ADDRESS_TEXT_BYTES], size_t count, const char *address);

void name_servers_init(struct name_servers *servers)
{
    lock_init(&servers->lock, LOCK_RANK_LEAF);
    servers->count = servers->chosen = 0;
    memset(servers->failing, 0, sizeof servers->failing);
}

void name_servers_done(struct name_servers *servers)
{
    lock_done(&servers->lock);
}

mqc_status name_servers_set(struct name_servers *servers, const char *list, bool *changed,
                            mqc_error *error)
{
    char fresh[NAME_SERVERS_MOST][ADDRESS_TEXT_BYTES];
    size_t count = 0;
    mqc_status status = parse(list, fresh, &count, error);
    if (status != MQC_OK) return status;
    shuffle(fresh, count);
    lock_take(&servers->lock);
    bool differs = count != servers->count;
    for (size_t i = 0; i < count && !differs; i++)
        differs = !contains(servers->addresses, servers->count, fresh[i]);
    if (differs) {
        /* The one in use stays in use when it is in the new list, too. */
        const char *in_use = servers->count > 0 ? servers->addresses[servers->chosen] : "";
        size_t chosen = 0;
        for (size_t i = 0; i < count; i++)
            if (strcmp(fresh[i], in_use) == 0) chosen = i;
        memcpy(servers->addresses, fresh, count * sizeof fresh[0]);
        memset(servers->failing, 0, sizeof servers->failing);
        servers->count = count;
        servers->chosen = chosen;
    }
    lock_release(&servers->lock);
    if (changed) *changed = differs;
    return MQC_OK;
}

bool name_servers_chosen(struct name_servers *servers, char out[ADDRESS_TEXT_BYTES])
{
    lock_take(&servers->lock);
    bool any = servers->count > 0;
    if (any) memcpy(out, servers->addresses[servers->chosen], ADDRESS_TEXT_BYTES);
    lock_release(&servers->lock);
    return any;
}

size_t name_servers_count(struct name_servers *servers)
{
    lock_take(&servers->lock);
    size_t count = servers->count;
    lock_release(&servers->lock);
    return count;
}

bool name_servers_contain(struct name_servers *servers, const char *address)
{
    lock_take(&servers->lock);
    bool found = contains(servers->addresses, servers->count, address);
    lock_release(&servers->lock);
    return found;
}

bool name_servers_failed(struct name_servers *servers, const char *failed)
{
    lock_take(&servers->lock);
    bool news = mark(servers, failed, true);
    if (servers->count > 0 && strcmp(servers->addresses[servers->chosen], failed) == 0)
        servers->chosen = (servers->chosen + 1) % servers->count;
    lock_release(&servers->lock);
    return news;
}

void name_servers_answered(struct name_servers *servers, const char *address)
{
    lock_take(&servers->lock);
    mark(servers, address, false);
    lock_release(&servers->lock);
}

/* True when that is something new. */
static bool mark(struct name_servers *servers, const char *address, bool failing)
{
    bool changed = false;
    for (size_t i = 0; i < servers->count; i++) {
        if (strcmp(servers->addresses[i], address) != 0) continue;
        changed = servers->failing[i] != failing;
        servers->failing[i] = failing;
    }
    return changed;
}

void name_servers_format(struct name_servers *servers, char *out, size_t bytes)
{
    size_t at = 0;
    out[0] = '\0';
    lock_take(&servers->lock);
    for (size_t i = 0; i < servers->count && at < bytes; i++) {
        int n = snprintf(out + at, bytes - at, "%s%s", i > 0 ? ";" : "", servers->addresses[i]);
        at += n > 0 ? (size_t)n : 0;
    }
    lock_release(&servers->lock);
}

void name_servers_url(const char *domain, const char *unit_name, char *out, size_t bytes)
{
    bool has_unit = unit_name && unit_name[0];
    const char *dash = has_unit ? "-" : "", *unit = has_unit ? unit_name : "",
               *query = has_unit ? "?nofix=1" : "";
    if (strstr(domain, "://"))
        snprintf(out, bytes, "%s%s%s%s", domain, dash, unit, query);
    else
        snprintf(out, bytes, "http://%s%s/rocketmq/nsaddr%s%s%s", domain,
                 strchr(domain, ':') ? "" : ":8080", dash, unit, query);
}

mqc_status name_servers_fetch(struct name_servers *servers, const char *url, int timeout_ms,
                              bool *changed, mqc_error *error)
{
    struct buffer answer;
    mqc_error why;
    buffer_init(&answer);
    mqc_status status = http_get(url, timeout_ms, &answer, error);
    if (status == MQC_OK &&
        name_servers_read(servers, buffer_slice(&answer), changed, &why) != MQC_OK)
        status =
            error_set(error, MQC_BAD_ARGUMENT, "%s did not answer with a list: %s", url, why.text);
    buffer_done(&answer);
    return status;
}

mqc_status name_servers_read(struct name_servers *servers, struct slice answer, bool *changed,
                             mqc_error *error)
{
    struct slice rest = slice_trim(answer);
    char *line = slice_duplicate(slice_trim(slice_split(&rest, "\n")));
    mqc_status status = line ? name_servers_set(servers, line, changed, error)
                             : error_set(error, MQC_BAD_ARGUMENT, "empty");
    memory_free(line);
    return status;
}

static mqc_status parse(const char *list, char out[][ADDRESS_TEXT_BYTES], size_t *count,
                        mqc_error *error)
{
    struct slice rest = slice_text(list);
    while (rest.data) {
        struct slice part = slice_trim(slice_split(&rest, ";"));
        if (part.size == 0) continue;
        if (slice_begins_with(part, "http://")) {
            /* ClientConfig strips an endpoint's scheme and path: what follows the last slash. */
            while (memchr(part.data, '/', part.size)) slice_split(&part, "/");
        }
        struct address address;
        mqc_status status = address_parse(part, &address, error);
        if (status != MQC_OK) return status;
        if (*count == NAME_SERVERS_MOST)
            return error_set(error, MQC_TOO_BIG, "more than %d name servers", NAME_SERVERS_MOST);
        char text[ADDRESS_TEXT_BYTES];
        address_format(&address, text);
        if (!contains(out, *count, text)) memcpy(out[(*count)++], text, sizeof text);
    }
    if (*count > 0) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "the name server list is empty: give \"host:port;host:port\"");
}

static void shuffle(char addresses[][ADDRESS_TEXT_BYTES], size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below((uint32_t)i);
        char kept[ADDRESS_TEXT_BYTES];
        memcpy(kept, addresses[i - 1], sizeof kept);
        memmove(addresses[i - 1], addresses[j], sizeof kept);
        memcpy(addresses[j], kept, sizeof kept);
    }
}

static bool contains(char addresses[][ADDRESS_TEXT_BYTES], size_t count, const char *address)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(addresses[i], address) == 0) return true;
    return false;
}
