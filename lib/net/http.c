/* One HTTP GET with libcurl, for lists of name servers. Any thread, with no lock held: it blocks.
 * Called by the name server address fetcher. */
#include "lib/net/http.h"

#include <strings.h>

#include "lib/base/error.h"
#include "lib/net/curl_library.h"

enum { BODY_BYTES_MAX = 64 * 1024, REDIRECTS_MAX = 3 };

struct answer {
    struct buffer *out;
    size_t bytes;
    bool too_big;
};

static mqc_status set_options(const struct curl_library *library, CURL *curl, const char *url,
                              int timeout_ms, struct answer *answer);
static size_t take_body(char *bytes, size_t one, size_t size, void *argument);
static mqc_status judge(const struct curl_library *library, CURL *curl, CURLcode result,
                        const char *details, const char *place, const struct answer *answer,
                        mqc_error *error);
static const char *without_credentials(const char *url);

mqc_status http_get(const char *url, int timeout_ms, struct buffer *out, mqc_error *error)
{
    struct answer answer = {.out = out};
    char details[CURL_ERROR_SIZE] = "";
    size_t size_before = out->size;
    const char *place = without_credentials(url);
    const struct curl_library *library = curl_library(error);
    if (!library) return MQC_SYSTEM;
    CURL *curl = library->easy_init();
    if (!curl) return error_no_memory(error);
    library->easy_setopt(curl, CURLOPT_ERRORBUFFER, details);
    mqc_status status = set_options(library, curl, url, timeout_ms, &answer);
    if (status == MQC_OK)
        status = judge(library, curl, library->easy_perform(curl), details, place, &answer, error);
    else
        error_no_memory(error);
    library->easy_cleanup(curl);
    if (status != MQC_OK && out->size > size_before) buffer_truncate(out, size_before);
    return status;
}

/* A URL's place without "user:password@", for texts: after the scheme, where there are any. */
static const char *without_credentials(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    const char *at = host + strcspn(host, "/?#@");
    const char *last = NULL;
    for (; *at == '@'; at += 1 + strcspn(at + 1, "/?#@")) last = at;
    return last ? last + 1 : url;
}

static CURLcode set_protocols(const struct curl_library *library, CURL *curl, const char *url)
{
    /* Never from https to http. */
    bool secure = strncasecmp(url, "https:", 6) == 0;
#if LIBCURL_VERSION_NUM >= 0x075500
    CURLcode result = library->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (result != CURLE_OK) return result;
    return library->easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
    long secure_only = CURLPROTO_HTTPS, both = CURLPROTO_HTTP | CURLPROTO_HTTPS;
    CURLcode result = library->easy_setopt(curl, CURLOPT_PROTOCOLS, both);
    if (result != CURLE_OK) return result;
    return library->easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, secure ? secure_only : both);
#endif
}

/* Setting an option of a known type fails only for want of memory. */
static mqc_status set_options(const struct curl_library *library, CURL *curl, const char *url,
                              int timeout_ms, struct answer *answer)
{
    long limit_ms = timeout_ms > 0 ? timeout_ms : 1; /* 0 would mean none */
    CURLcode results[] = {
        library->easy_setopt(curl, CURLOPT_URL, url),
        set_protocols(library, curl, url),
        library->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L),
        library->easy_setopt(curl, CURLOPT_TIMEOUT_MS, limit_ms),
        library->easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, limit_ms),
        library->easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L),
        library->easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX),
        /* As the Java client: the list's server is near, what $http_proxy names is for far ones. */
        library->easy_setopt(curl, CURLOPT_PROXY, ""),
        library->easy_setopt(curl, CURLOPT_USERAGENT, "libmqclient/" MQC_VERSION),
        library->easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body),
        library->easy_setopt(curl, CURLOPT_WRITEDATA, answer),
#if LIBCURL_VERSION_NUM >= 0x075700
        /* Cleaning up does not wait for a name server (of DNS) that does not answer. */
        library->easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L),
#endif
    };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (results[i] != CURLE_OK) return MQC_NO_MEMORY;
    return MQC_OK;
}

static size_t take_body(char *bytes, size_t one, size_t size, void *argument)
{
    struct answer *answer = argument;
    size *= one;
    if (size > BODY_BYTES_MAX - answer->bytes) {
        answer->too_big = true;
        return 0; /* ends the transfer */
    }
    answer->bytes += size;
    buffer_put(answer->out, bytes, size);
    return answer->out->failed ? 0 : size;
}

static mqc_status status_of(const struct curl_library *library, CURL *curl, CURLcode result)
{
    long connections = 0;
    library->easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections);
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT: return MQC_TIMEOUT;
    case CURLE_OUT_OF_MEMORY: return MQC_NO_MEMORY;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT: /* by whom: the caller, or a server's answer */
        return connections == 0 ? MQC_BAD_ARGUMENT : MQC_NO_CONNECTION;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION: return MQC_TLS;
    default: return MQC_NO_CONNECTION;
    }
}

static mqc_status judge(const struct curl_library *library, CURL *curl, CURLcode result,
                        const char *details, const char *place, const struct answer *answer,
                        mqc_error *error)
{
    if (answer->out->failed) return error_no_memory(error);
    if (answer->too_big)
        return error_set(error, MQC_TOO_BIG, "%s: the answer is larger than %d bytes", place,
                         BODY_BYTES_MAX);
    if (result != CURLE_OK) {
        mqc_status status = status_of(library, curl, result);
        error_set(error, status, "%s: %s", place,
                  details[0] != '\0' ? details : library->easy_strerror(result));
        if (status == MQC_NO_CONNECTION || status == MQC_TIMEOUT) error_mark_retryable(error);
        return status;
    }
    long code = 0;
    library->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    if (code == 200) return MQC_OK;
    error_set(error, MQC_NO_CONNECTION, "%s: answered with HTTP status %ld where 200 is needed",
              place, code);
    error_mark_retryable(error);
    return MQC_NO_CONNECTION;
}
