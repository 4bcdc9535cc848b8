/* Who may use the cluster: users with secrets, whose signatures are checked (ACL 2.0's
 * authentication, DefaultAuthenticationHandler.java). Constant after the start. */
#ifndef EMBEDDED_ACL_H
#define EMBEDDED_ACL_H

#include <mqclient/embedded.h>

#include "lib/protocol/remoting_command.h"

struct acl_user {
    char *access_key;
    char *secret_key;
};

struct acl {
    struct acl_user *users;
    size_t user_count; /* 0: everybody may do everything */
};

mqc_status acl_init(struct acl *acl, const mqc_embedded_user *users, size_t count,
                    mqc_error *error);
void acl_done(struct acl *acl);

/* True when the request may go on; else `remark` says why not, as the real broker. */
bool acl_accepts(const struct acl *acl, const struct remoting_command *command, char *remark,
                 size_t remark_bytes);

#endif
