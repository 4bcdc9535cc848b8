/* The priority of a message to be sent (Message.setPriority of 5.5.0). On the application's
 * threads.
 */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"

mqc_status mqc_message_set_priority(mqc_message *message, int priority, mqc_error *error)
{
    if (priority < -1)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "priority %d: give 0, the lowest, or more, or -1 for none", priority);
    char text[12];
    snprintf(text, sizeof text, "%d", priority);
    return message_put_property(message, PROPERTY_PRIORITY, priority >= 0 ? text : NULL, error);
}
