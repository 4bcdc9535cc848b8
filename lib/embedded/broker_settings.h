/* A broker's settings, under the names of the real broker's configuration. Under the cluster's
 * lock. */
#ifndef EMBEDDED_BROKER_SETTINGS_H
#define EMBEDDED_BROKER_SETTINGS_H

#include <mqclient/status.h>

#include "lib/base/buffer.h"

struct broker_settings {
#define SETTING_BOOL                          bool
#define SETTING_NUMBER                        int64_t
#define SETTING_PERCENT                       int64_t
#define SETTING(kind, member, name, fallback) SETTING_##kind member;
#include "lib/embedded/broker_settings.def"
#undef SETTING
#undef SETTING_BOOL
#undef SETTING_NUMBER
#undef SETTING_PERCENT
};

void broker_settings_init(struct broker_settings *settings);

/* Reads lines "name=value" as java.util.Properties does in its plain form; '#' begins a comment.
 * MQC_BAD_ARGUMENT, and nothing is changed, for a value that is none; `strict`: also for a name
 * that is not in the table, which is passed over else, as the real broker does. */
mqc_status broker_settings_read(struct broker_settings *settings, struct slice text, bool strict,
                                mqc_error *error);

/* All of them as lines. */
void broker_settings_write(const struct broker_settings *settings, struct buffer *out);

#endif
