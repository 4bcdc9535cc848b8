/* Option structs of callers that were built with other headers than this library: their size comes
 * with them, in the inline functions of the public headers. */
#ifndef BASE_SIZED_STRUCT_H
#define BASE_SIZED_STRUCT_H

#include <mqclient/status.h>
#include <stddef.h>

/* Copies what both sides know. Of an older caller fewer bytes are given: the rest is zero, which is
 * the default. Of a newer one more: MQC_BAD_ARGUMENT unless they are zero, since what was asked for
 * would not be done. NULL is all zero. */
mqc_status sized_struct_copy(void *copy, size_t known_bytes, const void *given, size_t given_bytes,
                             mqc_error *error);

#endif
