/* mqc group mode: whether a group pulls or pops a topic. Main thread. */
#include <string.h>

#include "tools/group.h"

struct mode {
    const char *group, *topic, *to;
    int share;
    struct admin_command command;
};

static int check_mode(void *arg)
{
    const struct mode *mode = arg;
    bool pop = strcmp(mode->to, "pop") == 0;
    if (!pop && strcmp(mode->to, "pull") != 0)
        return usage_error(mode->command.name, "--to is \"%s\": give pull or pop", mode->to);
    if (!pop && mode->share > 0)
        return usage_error(mode->command.name, "--share is for --to pop only");
    return -1;
}

static mqc_status set_mode(struct admin_command *command, void *arg, mqc_error *error)
{
    const struct mode *mode = arg;
    bool pop = strcmp(mode->to, "pop") == 0;
    mqc_status status = mqc_admin_set_request_mode(command->admin, mode->topic, mode->group, pop,
                                                   mode->share, error);
    if (!status)
        print_done(command, pop ? "popping is set for" : "pulling is set for", mode->group);
    return status;
}

int group_mode_command(int argc, char **argv)
{
    struct mode mode = {0};
    const struct argument own[] = {
        OPTION_GROUP(mode.group),
        OPTION_TEXT('t', "topic", "TOPIC", "the topic (required)", &mode.topic),
        OPTION_TEXT(0, "to", "pull|pop", "what members are to do from now on (required)", &mode.to),
        OPTION_NUMBER(0, "share", "N",
                      "with pop: a member pops its share of the queues and that of N others "
                      "(default: all)",
                      &mode.share),
    };
    const struct requirement required[] = {REQUIRE_GROUP(mode.group),
                                           {&mode.topic, "the topic", "-t TOPIC"},
                                           {&mode.to, "the mode", "--to pull|pop"}};
    struct admin_description description = {
        .name = "group mode",
        .synopsis = "-g GROUP -t TOPIC --to pull|pop [option]…",
        .about =
            "Has brokers (5.x) say that a group is to pull a topic, as all do by default, or to\n"
            "pop it. Members that can pop (\"mqc consume --pop\") follow within 20 s.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .check = check_mode,
        .action = set_mode,
        .arg = &mode,
    };
    return admin_command_run(&mode.command, &description, argc, argv);
}
