/* What the files of mqc group share. */
#ifndef TOOLS_GROUP_H
#define TOOLS_GROUP_H

#include "tools/admin_command.h"

#define OPTION_GROUP(target)                                                                       \
    OPTION_TEXT('g', "group", "GROUP", "name of the group (required)", &(target))
#define REQUIRE_GROUP(target)                                                                      \
    {                                                                                              \
        &(target), "the group", "-g GROUP"                                                         \
    }

#define TIME_HELP                                                                                  \
    "A time is yyyyMMddHHmmss or \"yyyy-MM-dd HH:mm:ss\" in local time, milliseconds since "       \
    "1970,\n"                                                                                      \
    "\"now\", or how long ago: 90s, 15m, 2h, 3d."

int group_progress_command(int argc, char **argv);
int group_reset_command(int argc, char **argv);
int group_clone_command(int argc, char **argv);
int group_mode_command(int argc, char **argv);
int group_members_command(int argc, char **argv);
int group_producers_command(int argc, char **argv);
int group_info_command(int argc, char **argv);

#endif
