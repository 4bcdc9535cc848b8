/* mqc namesrv: the name servers and what they keep for others. Main thread. */
#include <stdio.h>

#include "tools/admin_command.h"

struct look {
    const char *name_space;
    const char *server;
    const char *words[2]; /* key and value */
    int word_count, words_needed;
    struct admin_command command;
};

/* ---- actions ---- */

static mqc_status list(struct admin_command *command, void *arg, mqc_error *error)
{
    (void)arg;
    const mqc_name_list *servers;
    mqc_status status = mqc_admin_name_servers(command->admin, &servers, error);
    if (status) return status;
    print_names(command, "address", servers);
    mqc_admin_result_free(servers);
    return MQC_OK;
}

static mqc_status config(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    const mqc_settings *settings;
    mqc_status status =
        mqc_admin_name_server_config(command->admin, look->server, &settings, error);
    if (status) return status;
    print_settings(command, settings);
    mqc_admin_result_free(settings);
    return MQC_OK;
}

static mqc_status kv_list(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    const mqc_settings *settings;
    mqc_status status = mqc_admin_kv_list(command->admin, look->name_space, &settings, error);
    if (status) return status;
    print_settings(command, settings);
    mqc_admin_result_free(settings);
    return MQC_OK;
}

static mqc_status kv_get(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    const mqc_settings *settings;
    mqc_status status =
        mqc_admin_kv_get(command->admin, look->name_space, look->words[0], &settings, error);
    if (status) return status;
    if (command->json)
        print_settings(command, settings);
    else if (!command->quiet)
        puts(settings->settings[0]->value);
    mqc_admin_result_free(settings);
    return MQC_OK;
}

static mqc_status kv_put(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    mqc_status status =
        mqc_admin_kv_put(command->admin, look->name_space, look->words[0], look->words[1], error);
    if (!status) print_done(command, "set", look->words[0]);
    return status;
}

static mqc_status kv_delete(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    mqc_status status =
        mqc_admin_kv_delete(command->admin, look->name_space, look->words[0], error);
    if (!status) print_done(command, "deleted", look->words[0]);
    return status;
}

/* ---- commands ---- */

static int list_command(int argc, char **argv)
{
    struct look look = {0};
    const struct argument own[] = {OPTION_JSON(look.command)};
    struct admin_description description = {
        .name = "namesrv list",
        .synopsis = "[option]…",
        .about = "Prints the name servers that this client has, from -n, NAMESRV_ADDR or the HTTP\n"
                 "endpoint.",
        .own = own,
        .own_count = COUNT_OF(own),
        .action = list,
        .arg = &look,
    };
    return admin_command_run(&look.command, &description, argc, argv);
}

static int config_command(int argc, char **argv)
{
    struct look look = {0};
    const struct argument own[] = {OPTION_TEXT('a', "address", "HOST:PORT",
                                               "of this name server (default: the one in use)",
                                               &look.server),
                                   OPTION_JSON(look.command)};
    struct admin_description description = {
        .name = "namesrv config",
        .synopsis = "[option]…",
        .about = "Prints the settings of a name server.",
        .own = own,
        .own_count = COUNT_OF(own),
        .action = config,
        .arg = &look,
    };
    return admin_command_run(&look.command, &description, argc, argv);
}

static int check_words(void *arg)
{
    struct look *look = arg;
    if (look->word_count == look->words_needed) return -1;
    return usage_error(look->command.name,
                       look->words_needed == 1 ? "give a key" : "give a key and a value");
}

static int kv_run(struct look *look, struct admin_description *description, int argc, char **argv)
{
    const struct argument own[] = {OPTION_TEXT('s', "namespace", "NAME",
                                               "namespace, e.g. ORDER_TOPIC_CONFIG (required)",
                                               &look->name_space),
                                   OPTION_JSON(look->command)};
    const struct requirement required[] = {{&look->name_space, "the namespace", "-s NAME"}};
    description->own = own;
    description->own_count = COUNT_OF(own);
    description->required = required;
    description->required_count = COUNT_OF(required);
    description->rest_most = look->words_needed;
    description->rest = look->words;
    description->rest_count = &look->word_count;
    description->check = check_words;
    description->arg = look;
    look->command.name = description->name;
    return admin_command_run(&look->command, description, argc, argv);
}

static int kv_list_command(int argc, char **argv)
{
    struct look look = {0};
    struct admin_description description = {
        .name = "namesrv kv-list",
        .synopsis = "-s NAMESPACE [option]…",
        .about = "Prints the keys and values of a namespace.",
        .action = kv_list,
    };
    return kv_run(&look, &description, argc, argv);
}

static int kv_get_command(int argc, char **argv)
{
    struct look look = {.words_needed = 1};
    struct admin_description description = {
        .name = "namesrv kv-get",
        .synopsis = "-s NAMESPACE [option]… KEY",
        .about = "Prints the value of a key.",
        .action = kv_get,
    };
    return kv_run(&look, &description, argc, argv);
}

static int kv_put_command(int argc, char **argv)
{
    struct look look = {.words_needed = 2};
    struct admin_description description = {
        .name = "namesrv kv-put",
        .synopsis = "-s NAMESPACE [option]… KEY VALUE",
        .about = "Sets a key at every name server.",
        .action = kv_put,
    };
    return kv_run(&look, &description, argc, argv);
}

static int kv_delete_command(int argc, char **argv)
{
    struct look look = {.words_needed = 1};
    struct admin_description description = {
        .name = "namesrv kv-delete",
        .synopsis = "-s NAMESPACE [option]… KEY",
        .about = "Removes a key from every name server.",
        .action = kv_delete,
    };
    return kv_run(&look, &description, argc, argv);
}

int namesrv_command(int argc, char **argv)
{
    static const struct subcommand SUBCOMMANDS[] = {
        {"list", list_command, "print the name servers in use"},
        {"config", config_command, "print a name server's settings"},
        {"kv-list", kv_list_command, "print the keys of a namespace"},
        {"kv-get", kv_get_command, "print the value of a key"},
        {"kv-put", kv_put_command, "set a key"},
        {"kv-delete", kv_delete_command, "remove a key"},
    };
    return subcommands_run("namesrv", "Looks at name servers and the keys they keep.", SUBCOMMANDS,
                           COUNT_OF(SUBCOMMANDS), argc, argv);
}
