/* mqc doctor: goes the way of a message step by step, says at each what was found and, where it
 * ends, what to do. Main thread. */
#include "tools/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void doctor_report(struct doctor *doctor, enum finding_kind kind, const char *step,
                   const char *target, const char *advice, const char *found, ...)
{
    static const char *const NAMES[] = {"ok", "note", "warning", "failed"};
    char text[DOCTOR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, found);
    vsnprintf(text, sizeof text, found, arguments);
    va_end(arguments);
    doctor->failed += kind == FINDING_FAILED;
    doctor->warned += kind == FINDING_WARNING;
    struct admin_command *command = &doctor->command;
    if (command->quiet || command->write_failed) return;
    if (command->json) {
        command->write_failed = !output_json(json_pack(
            "{s:s, s:o, s:s, s:o, s:o}", "step", step, "target", json_text(target), "result",
            NAMES[kind], "found", json_text(text), "advice", json_text(advice)));
        return;
    }
    printf("%-8s %s%s%s: %s\n", NAMES[kind], step, *target ? " " : "", target, text);
    if (advice) printf("         -> %s\n", advice);
    command->write_failed = fflush(stdout) != 0;
    doctor->write_error = errno;
}

static int summarize(struct doctor *doctor)
{
    struct admin_command *command = &doctor->command;
    if (!command->json && !command->quiet && !command->write_failed)
        printf("\n%s: %d failed, %d warnings\n",
               doctor->failed   ? "something is wrong"
               : doctor->warned ? "it works, but"
                                : "all is well",
               doctor->failed, doctor->warned);
    errno = doctor->write_error;
    if (command->write_failed) return output_failure(command->name);
    int code = output_finish(command->name);
    return code != EXIT_DONE ? code : doctor->failed ? EXIT_FAILED : EXIT_DONE;
}

/* Each step needs those before it. */
static void examine(struct doctor *doctor)
{
    const char *topic = doctor->probe ? doctor->probe : doctor->topic;
    if (doctor_name_servers(doctor) && doctor_brokers(doctor) &&
        (!topic || doctor_topic(doctor, topic)) && doctor->probe)
        doctor_probe(doctor);
}

int doctor_command(int argc, char **argv)
{
    struct doctor doctor = {.command.name = "doctor"};
    const struct argument own[] = {
        OPTION_TEXT('t', "topic", "TOPIC", "also look at the route of this topic", &doctor.topic),
        OPTION_TEXT(0, "probe", "TOPIC", "also send a message to it and read it back",
                    &doctor.probe),
        OPTION_JSON(doctor.command),
    };
    struct arguments arguments = {
        .command = "doctor",
        .synopsis = "[-t TOPIC] [--probe TOPIC] [option]…",
        .about =
            "Goes the way of a message: name servers (name, TCP, TLS, answer), the brokers that\n"
            "they name (address, TCP, TLS, ACL), a topic's route, and a probe that is sent and "
            "read\n"
            "back. Says what was found at each step and what to do where something is wrong. Give\n"
            "the options that your program uses. Nothing is changed but for the probe, which is a\n"
            "message like any other for the topic's consumers.",
        .own = own,
        .own_count = COUNT_OF(own),
    };
    mqc_log_set_level(MQC_LOG_OFF); /* it says all that there is to say itself */
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0 && arguments.rest_count > 0)
        code = usage_error("doctor", "unexpected argument \"%s\"", arguments.rest[0]);
    if (code < 0) {
        doctor.command.quiet = arguments.quiet;
        doctor.command.client = arguments_client(&arguments);
        examine(&doctor);
        mqc_admin_free(doctor.command.admin);
        code = summarize(&doctor);
    }
    arguments_done(&arguments);
    return code;
}
