/* The admin handle's life. It shares the instance of roles with the same client options and
 * registers no group there (MQClientInstance.registerAdminExt). On the application's threads. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/process.h"

#include "lib/admin/admin_private.h"
#include "lib/client/client_manager.h"
#include "lib/client/options.h"
#include "lib/producer/inner_producer.h"
#include "services/service.h"

enum { GOODBYE_MS = 1000 };

mqc_admin *mqc_admin_new(const mqc_client_options *options, mqc_error *error)
{
    if (options_check_client(options, error) != MQC_OK) return NULL;
    struct mqc_admin *admin = memory_allocate_zero(1, sizeof *admin);
    if (!admin) {
        error_no_memory(error);
        return NULL;
    }
    admin->fork_generation = process_fork_generation();
    mqc_client_options filled = options_fill_client(options);
    if (client_manager_join(&filled, &inner_producer, NULL, &admin->instance, error) != MQC_OK) {
        memory_free(admin);
        return NULL;
    }
    return admin;
}

void mqc_admin_free(mqc_admin *admin)
{
    /* A forked child has none of the threads, and perhaps locks that nobody will release. */
    if (!admin || admin->fork_generation != process_fork_generation()) return;
    if (service_on_own_thread()) {
        log_error(LOG_LIFECYCLE, "admin not freed: mqc_admin_free was called in a callback or "
                                 "listener, call it from a thread of the application");
        return;
    }
    client_manager_leave(admin->instance, NULL, clock_deadline_ms(GOODBYE_MS));
    memory_free(admin);
}

mqc_status admin_check(const struct mqc_admin *admin, mqc_error *error)
{
    if (!admin)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the admin handle is NULL: make one with mqc_admin_new");
    if (admin->fork_generation != process_fork_generation())
        return error_set(error, MQC_WRONG_STATE,
                         "this process was forked after the admin handle was made, whose threads "
                         "and connections stayed with the parent: make a new one here");
    return MQC_OK;
}
