/* The admin handle, shared by admin.c (life) and topics.c (what it does). */
#ifndef ADMIN_ADMIN_PRIVATE_H
#define ADMIN_ADMIN_PRIVATE_H

#include <mqclient/admin.h>

#include "lib/client/client_instance.h"

struct mqc_admin {
    struct client_instance *instance; /* shared; has no role for this handle, as in Java */
    unsigned fork_generation;
};

/* MQC_BAD_ARGUMENT for NULL, MQC_WRONG_STATE in a forked child. */
mqc_status admin_check(const struct mqc_admin *admin, mqc_error *error);

#endif
