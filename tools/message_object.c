/* Messages as JSON objects (see message_object.h). On the main thread, and in the listener of mqc
 * consume under its lock. */
#include "tools/message_object.h"

static bool add_property(const char *name, const char *value, void *arg)
{
    json_t *properties = arg;
    json_object_set_new(properties, name, json_text(value));
    return true;
}

json_t *message_object(const mqc_message *message)
{
    json_t *properties = json_object();
    mqc_message_each_property(message, add_property, properties);
    json_t *object = json_pack(
        "{s:o, s:o, s:i, s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:i}", "topic",
        json_text(mqc_message_topic(message)), "brokerName",
        json_text(mqc_message_broker_name(message)), "queueId", mqc_message_queue_id(message),
        "queueOffset", (json_int_t)mqc_message_queue_offset(message), "msgId",
        json_text(mqc_message_id(message)), "tags", json_text(mqc_message_tag(message)), "keys",
        json_text(mqc_message_keys(message)), "properties", properties, "bornTimestamp",
        (json_int_t)mqc_message_born_unix_ms(message), "storeTimestamp",
        (json_int_t)mqc_message_stored_unix_ms(message), "reconsumeTimes",
        mqc_message_reconsume_times(message));
    if (object && json_add_body(object, mqc_message_body(message))) return object;
    json_decref(object);
    return NULL;
}

bool message_print(const mqc_message *message, bool json)
{
    if (json) return output_json(message_object(message));
    mqc_view body = mqc_message_body(message);
    return output_line(body.size > 0 ? body.data : "", body.size);
}

json_t *message_object_details(json_t *object, const mqc_message *message)
{
    if (!object) return NULL;
    json_object_set_new(object, "offsetMsgId", json_text(mqc_message_offset_id(message)));
    json_object_set_new(object, "bornHost", json_text(mqc_message_born_host(message)));
    json_object_set_new(object, "storeHost", json_text(mqc_message_stored_host(message)));
    json_object_set_new(object, "flag", json_integer(mqc_message_flag(message)));
    return object;
}
