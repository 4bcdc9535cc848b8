/* Shared by the tests of option structs: a consumer to be varied, and what is said of it. */
#ifndef TEST_OPTION_CHECKS_H
#define TEST_OPTION_CHECKS_H

#include <stdlib.h>

#include "lib/client/options.h"
#include "test/unit/unit.h"

static inline mqc_consume_status listen_to(mqc_delivery *delivery, void *arg)
{
    (void)delivery, (void)arg;
    return MQC_CONSUME_SUCCESS;
}

static const mqc_client_options HERE = {.name_servers = "127.0.0.1:9876"};
#define CONSUMER(...)                                                                              \
    (&(mqc_push_consumer_options){                                                                 \
        .client = &HERE, .group = "g", .listener = listen_to, __VA_ARGS__})

static inline void no_environment(void)
{
    unsetenv("NAMESRV_ADDR");
}

#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        mqc_error *error = &(mqc_error){0};                                                        \
        ck_assert_msg((call) == MQC_OK, "%s", error->text);                                        \
    } while (0)

#define CHECK_REFUSED(call, reason)                                                                \
    do {                                                                                           \
        mqc_error *error = &(mqc_error){0};                                                        \
        ck_assert_int_eq((call), MQC_BAD_ARGUMENT);                                                \
        ck_assert_int_eq(error->status, MQC_BAD_ARGUMENT);                                         \
        ck_assert_str_eq(error->text, reason);                                                     \
    } while (0)

#endif
