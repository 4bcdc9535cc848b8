/* libcurl, loaded when it is first needed: only clients without a list of name servers ask over
 * HTTP, and the library with all that it draws in is larger than everything else of ours. */
#ifndef NET_CURL_LIBRARY_H
#define NET_CURL_LIBRARY_H

#include <curl/curl.h>
#include <mqclient/status.h>

/* Its functions by their names without "curl_". */
struct curl_library {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_setopt) *easy_setopt;
    __typeof__(curl_easy_getinfo) *easy_getinfo;
    __typeof__(curl_easy_perform) *easy_perform;
    __typeof__(curl_easy_strerror) *easy_strerror;
};

/* Loads and initializes it once a process. NULL when it is not installed or of no use. Any thread.
 */
const struct curl_library *curl_library(mqc_error *error);

#endif
