/* The bodies of answers to the admin API. The first byte chooses the decoder. */
#include "lib/admin/decode.h"
#include "lib/base/memory.h"
#include "test/fuzz/fuzz.h"

static const struct answer_origin origin = {"DefaultCluster", "broker-a"};

/* As from two brokers: what is added to a result must fit what is there. */
#define READER(name, type, add, finish)                                                            \
    static void name(struct slice body)                                                            \
    {                                                                                              \
        type *result = result_new(sizeof *result);                                                 \
        for (int i = 0; result && i < 2 && (add) == MQC_OK; i++)                                   \
            if (i == 1) finish(result);                                                            \
        mqc_admin_result_free(result);                                                             \
    }
#define NOTHING(result) (void)result

READER(read_topic_status, mqc_topic_status, topic_status_add(result, body, NULL),
       topic_status_finish)
READER(read_progress, mqc_group_progress, group_progress_add(result, body, NULL),
       group_progress_finish)
READER(read_offsets, mqc_offsets, offsets_add(result, body, NULL), offsets_finish)
READER(read_members, mqc_group_members, group_members_add(result, "g", body, NULL),
       group_members_finish)
READER(read_producers, mqc_producers, producers_add(result, "g", body, NULL), producers_finish)
READER(read_producer_table, mqc_producers, producer_table_add(result, body, NULL), producers_finish)
READER(read_running, mqc_running_info, running_info_read(result, body, NULL), NOTHING)
READER(read_direct, mqc_direct_result, direct_result_read(result, body, NULL), NOTHING)
READER(read_topic_config, mqc_topic_configs, topic_config_add(result, &origin, body, NULL), NOTHING)
READER(read_group_config, mqc_group_configs, group_config_add(result, &origin, body, NULL), NOTHING)
READER(read_group_names, mqc_name_list, group_names_add(result, body, NULL), result_sort_names)
READER(read_names, mqc_name_list, names_add(result, result, "topics", "topicList", body, NULL),
       result_sort_names)
READER(read_table, mqc_settings, table_read(result, result, body, NULL), result_sort_settings)
READER(read_properties, mqc_settings, properties_text_read(result, result, body, NULL),
       result_sort_settings)
READER(read_broker_status, mqc_broker_status, broker_status_read(result, body, NULL), NOTHING)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static void (*const readers[])(struct slice body) = {
        read_topic_status,   read_progress, read_offsets, read_members,      read_producers,
        read_producer_table, read_running,  read_direct,  read_topic_config, read_group_config,
        read_group_names,    read_names,    read_table,   read_properties,   read_broker_status};
    if (size == 0) return 0;
    readers[bytes[0] % (sizeof readers / sizeof *readers)](slice_of(bytes + 1, size - 1));
    return 0;
}
