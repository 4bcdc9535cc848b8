/* Names of topics and groups: what is allowed (TopicValidator.java, Validators.java) and the names
 * derived from them. */
#ifndef PROTOCOL_NAMES_H
#define PROTOCOL_NAMES_H

#include <mqclient/status.h>

#include "lib/base/slice.h"

#define NAME_RETRY_PREFIX       "%RETRY%"
#define NAME_DEAD_LETTER_PREFIX "%DLQ%"
#define NAME_REPLY_SUFFIX       "_REPLY_TOPIC"
#define NAME_DEFAULT_TOPIC      "TBW102"
#define NAME_INNER_PRODUCER     "CLIENT_INNER_PRODUCER"

enum { TOPIC_MAX_CHARACTERS = 127, GROUP_MAX_CHARACTERS = 120, NAME_BYTES = 256 };

/* Each error says what the name may look like. */
mqc_status names_check_topic(const char *topic, mqc_error *error);
mqc_status names_check_sendable(const char *topic, mqc_error *error); /* and no system topic */
mqc_status names_check_group(const char *group, const char *what, mqc_error *error);

void names_retry_topic(const char *group, char out[NAME_BYTES]);
void names_dead_letter_topic(const char *group, char out[NAME_BYTES]);
void names_reply_topic(struct slice cluster, char out[NAME_BYTES]); /* MixAll.getReplyTopic */
bool names_is_retry_topic(struct slice topic);
bool names_is_system_topic(struct slice topic);

#endif
