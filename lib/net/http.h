/* One HTTP GET with libcurl (see curl_library.h): the name servers' address list
 * (DefaultTopAddressing.java). */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <mqclient/status.h>

#include "lib/base/buffer.h"

/* Appends the body of a 200 answer (at most 64 KiB) to `out`. Blocks at most timeout_ms. */
mqc_status http_get(const char *url, int timeout_ms, struct buffer *out, mqc_error *error);

#endif
