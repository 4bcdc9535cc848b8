/* ACL signatures, 1.0 and 2.0 alike (AclClientRPCHook.java, AclSigner.java): HMAC-SHA1 over the
 * values of all extension fields sorted by name, then the body; in base64. */
#ifndef PROTOCOL_SIGNATURE_H
#define PROTOCOL_SIGNATURE_H

#include "lib/protocol/remoting_command.h"

enum { SIGNATURE_TEXT_BYTES = 29 }; /* 28 characters and a zero byte */

struct credentials {
    struct slice access_key;
    struct slice secret_key;
    struct slice security_token; /* absent when there is none */
};

/* Signs `fields` (AccessKey and SecurityToken among them, order is changed) and body. */
mqc_status signature_make(struct command_field *fields, size_t count, struct slice body,
                          struct slice secret_key, char out[SIGNATURE_TEXT_BYTES],
                          mqc_error *error);

#endif
