/* Finding libcurl at run time; see the header. Called by http.c. It stays loaded. */
#include "lib/net/curl_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct curl_library library;
static mqc_error failure; /* status MQC_OK when there is none */

static void load(void);
static void *open_library(void);
static bool find_functions(void *handle);

const struct curl_library *curl_library(mqc_error *error)
{
    pthread_once(&once, load);
    if (failure.status == MQC_OK) return &library;
    if (error) *error = failure;
    return NULL;
}

static void load(void)
{
    void *handle = open_library();
    if (!handle || !find_functions(handle))
        error_set(&failure, MQC_SYSTEM,
                  "asking for name servers over HTTP needs libcurl (libcurl.so.4), which is not "
                  "installed here: install it, or give the name servers' addresses");
    else if (library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        error_set(&failure, MQC_SYSTEM, "libcurl could not be initialized");
}

static void *open_library(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib",
                                        "libcurl.so"};
    void *handle = NULL;
    for (size_t i = 0; !handle && i < sizeof names / sizeof *names; i++)
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return handle;
}

static bool find_functions(void *handle)
{
    const struct {
        const char *name;
        void *place;
    } FUNCTIONS[] = {
        {"curl_global_init", &library.global_init},
        {"curl_easy_init", &library.easy_init},
        {"curl_easy_cleanup", &library.easy_cleanup},
        {"curl_easy_setopt", &library.easy_setopt},
        {"curl_easy_getinfo", &library.easy_getinfo},
        {"curl_easy_perform", &library.easy_perform},
        {"curl_easy_strerror", &library.easy_strerror},
    };
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
        void *function = dlsym(handle, FUNCTIONS[i].name);
        if (!function) return false;
        *(void **)FUNCTIONS[i].place = function; /* as POSIX has it for dlsym */
    }
    return true;
}
