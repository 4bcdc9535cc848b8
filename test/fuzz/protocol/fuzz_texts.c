/* Small texts from peers and users: properties, tag expressions, offset ids, names, hashes. */
#include "lib/base/buffer.h"
#include "lib/base/memory.h"
#include "lib/protocol/java_text.h"
#include "lib/protocol/message_id.h"
#include "lib/protocol/names.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/subscription.h"
#include "test/fuzz/fuzz.h"

static void read_properties(struct slice text)
{
    struct slice rest = text, name, value;
    struct buffer copy;
    buffer_init(&copy);
    while (properties_next(&rest, &name, &value)) {
        FUZZ_HOLDS(name.size > 0);
        properties_name_is_reserved(name);
        properties_put(&copy, name, value);
    }
    properties_find(text, "KEYS");
    buffer_clear(&copy);
    properties_copy_without(&copy, text, "KEYS");
    buffer_done(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice text = slice_of(bytes, size);
    struct subscription subscription;
    struct host host;
    int64_t offset;
    read_properties(text);
    java_hash(text);
    FUZZ_HOLDS(java_compare(text, text) == 0);
    offset_id_parse(text, &host, &offset, NULL);
    names_is_system_topic(text);
    char *ended = memory_copy(bytes, size);
    if (!ended) return 0;
    names_check_topic(ended, NULL);
    names_check_group(ended, "the group", NULL);
    if (subscription_make("topic", ended, 1, &subscription, NULL) == MQC_OK)
        subscription_done(&subscription);
    memory_free(ended);
    return 0;
}
