/* Copying structs of other versions: see sized_struct.h. Pure; called by constructors, on their
 * caller's thread. */
#include "lib/base/sized_struct.h"

#include <mqclient/api.h>
#include <string.h>

#include "lib/base/error.h"

mqc_status sized_struct_copy(void *copy, size_t known_bytes, const void *given, size_t given_bytes,
                             mqc_error *error)
{
    memset(copy, 0, known_bytes);
    if (!given) return MQC_OK;
    if (given_bytes == 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the options have no size: call the function without _sized");
    const unsigned char *bytes = given;
    for (size_t i = known_bytes; i < given_bytes; i++)
        if (bytes[i] != 0)
            return error_set(error, MQC_BAD_ARGUMENT,
                             "the options have a field that this library, %s, does not know: use a "
                             "newer library or older headers",
                             MQC_VERSION);
    memcpy(copy, given, given_bytes < known_bytes ? given_bytes : known_bytes);
    return MQC_OK;
}
