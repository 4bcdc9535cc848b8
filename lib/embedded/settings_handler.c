/* The name server's key-value settings (KVConfigManager.java), on the I/O thread. */
#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/relaxed_json.h"

enum { KEY_SEPARATOR = 1, SETTINGS_MAX = 10000 };

/* The map's key for a setting: namespace and key in one. */
static void put_key(struct buffer *out, struct slice name_space, struct slice key)
{
    buffer_init(out);
    buffer_put_slice(out, name_space);
    buffer_put_8(out, KEY_SEPARATOR);
    buffer_put_slice(out, key);
}

void settings_handle_put(struct request *request)
{
    struct put_kv_config_header header;
    if (!request_header(request, &put_kv_config_layout, &header)) return;
    struct map *settings = &request->cluster->name_server.settings;
    struct buffer key;
    put_key(&key, header.name_space, header.key);
    void *old = NULL;
    char *value = slice_duplicate(header.value);
    bool stored = value && !key.failed && settings->count < SETTINGS_MAX &&
                  map_put(settings, buffer_slice(&key), value, &old);
    memory_free(stored ? old : value);
    buffer_done(&key);
    if (stored)
        request_done(request);
    else
        request_no_memory(request);
}

void settings_handle_get(struct request *request)
{
    struct get_kv_config_header header;
    if (!request_header(request, &get_kv_config_layout, &header)) return;
    struct buffer key;
    put_key(&key, header.name_space, header.key);
    const char *value =
        key.failed ? NULL : map_get(&request->cluster->name_server.settings, buffer_slice(&key));
    buffer_done(&key);
    struct get_kv_config_response_header answer = {.value = slice_text(value)};
    if (value)
        request_answer(
            request, &(struct answer){.layout = &get_kv_config_response_layout, .header = &answer});
    else
        request_refuse(request, RESPONSE_QUERY_NOT_FOUND,
                       "No config item, Namespace: %.*s Key: %.*s", SLICE_FORMAT(header.name_space),
                       SLICE_FORMAT(header.key));
}

void settings_handle_delete(struct request *request)
{
    struct delete_kv_config_header header;
    if (!request_header(request, &delete_kv_config_layout, &header)) return;
    struct buffer key;
    put_key(&key, header.name_space, header.key);
    if (!key.failed)
        memory_free(map_remove(&request->cluster->name_server.settings, buffer_slice(&key)));
    buffer_done(&key);
    request_done(request);
}

void settings_handle_list(struct request *request)
{
    struct get_kv_list_header header;
    if (!request_header(request, &get_kv_list_layout, &header)) return;
    struct buffer body;
    size_t position = 0, found = 0;
    struct map_entry entry;
    buffer_init(&body);
    buffer_put_text(&body, "{\"table\":{");
    while (map_next(&request->cluster->name_server.settings, &position, &entry)) {
        struct slice key = slice_of(entry.key, entry.key_size);
        if (key.size <= header.name_space.size ||
            key.data[header.name_space.size] != KEY_SEPARATOR ||
            !slice_equal(slice_of(key.data, header.name_space.size), header.name_space))
            continue;
        size_t prefix = header.name_space.size + 1;
        if (found++ > 0) buffer_put_8(&body, ',');
        json_put_text(&body, slice_of(key.data + prefix, key.size - prefix));
        buffer_put_8(&body, ':');
        json_put_text(&body, slice_text(entry.value));
    }
    buffer_put_text(&body, "}}");
    if (found > 0)
        request_answer_body(request, &body);
    else
        request_refuse(request, RESPONSE_QUERY_NOT_FOUND, "No config item, Namespace: %.*s",
                       SLICE_FORMAT(header.name_space));
    buffer_done(&body);
}
