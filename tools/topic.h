/* What the files of mqc topic share, and options that other commands have too. */
#ifndef TOOLS_TOPIC_H
#define TOOLS_TOPIC_H

#include "tools/admin_command.h"

#define OPTION_TOPIC(target)                                                                       \
    OPTION_TEXT('t', "topic", "TOPIC", "name of the topic (required)", &(target))
#define OPTION_CLUSTER(target)                                                                     \
    OPTION_TEXT('c', "cluster", "NAME", "only the brokers of this cluster", &(target))
#define REQUIRE_TOPIC(target)                                                                      \
    {                                                                                              \
        &(target), "the topic", "-t TOPIC"                                                         \
    }

const char *permission_text(int permission); /* "read+write" */

int topic_status_command(int argc, char **argv);
int topic_config_command(int argc, char **argv);
int topic_groups_command(int argc, char **argv);
int topic_offsets_command(int argc, char **argv);

#endif
