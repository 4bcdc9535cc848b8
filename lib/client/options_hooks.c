/* Checks of the options of hooks and trace. Called by options.c, on the thread that makes a client,
 * producer or consumer. */
#include "lib/base/error.h"
#include "lib/client/options.h"
#include "lib/protocol/names.h"

mqc_status options_check_trace(const mqc_client_options *options, mqc_error *error)
{
    if (options->trace_topic && !options->trace)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "traceTopic (trace_topic) is given, but nothing is traced: set "
                         "enableMsgTrace (trace) too");
    return options->trace_topic ? names_check_sendable(options->trace_topic, error) : MQC_OK;
}

mqc_status options_check_hooks(const char *what, const void *hooks, size_t count, size_t most,
                               mqc_error *error)
{
    if ((hooks != NULL) == (count > 0) && count <= most) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "%s is %s, and its count is %zu: give both or neither, and at most %zu", what,
                     hooks ? "given" : "NULL", count, most);
}
