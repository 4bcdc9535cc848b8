/* What every public header of libmqclient is written with: export and attribute macros, version. */
#ifndef MQCLIENT_API_H
#define MQCLIENT_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MQC_VERSION_MAJOR 0
#define MQC_VERSION_MINOR 1
#define MQC_VERSION_PATCH 0
#define MQC_VERSION       "0.1.0"

#if defined(__GNUC__)
#define MQC_API              __attribute__((visibility("default")))
#define MQC_USE_RESULT       __attribute__((warn_unused_result))
#define MQC_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))
#else
#define MQC_API
#define MQC_USE_RESULT
#define MQC_PRINTF(fmt, arg)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library at run time, e.g. "0.1.0" (MQC_VERSION is the headers'). Never NULL.
 */
MQC_API const char *mqc_version(void);

#ifdef __cplusplus
}
#endif
#endif
