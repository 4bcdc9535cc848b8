/* Checks the signature of a request: see acl.h. On the I/O thread, called by the dispatcher. */
#include "lib/embedded/acl.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/signature.h"

enum { VERSION_SIGNS_UNIQUE_KEY_QUERY = 400 /* later than V4_9_3 */ };

mqc_status acl_init(struct acl *acl, const mqc_embedded_user *users, size_t count, mqc_error *error)
{
    *acl = (struct acl){0};
    if (count == 0) return MQC_OK;
    acl->users = memory_allocate_zero(count, sizeof *acl->users);
    if (!acl->users) return error_no_memory(error);
    for (acl->user_count = 0; acl->user_count < count; acl->user_count++) {
        const mqc_embedded_user *user = &users[acl->user_count];
        if (!user->access_key || !*user->access_key || !user->secret_key || !*user->secret_key)
            return error_set(error, MQC_BAD_ARGUMENT,
                             "user %zu: both access_key and secret_key are needed",
                             acl->user_count + 1);
        struct acl_user *copy = &acl->users[acl->user_count];
        copy->access_key = memory_duplicate(user->access_key);
        copy->secret_key = memory_duplicate(user->secret_key);
        if (!copy->access_key || !copy->secret_key) {
            acl->user_count++;
            return error_no_memory(error);
        }
    }
    return MQC_OK;
}

void acl_done(struct acl *acl)
{
    for (size_t i = 0; i < acl->user_count; i++) {
        memory_free(acl->users[i].access_key);
        memory_free_secret(acl->users[i].secret_key);
    }
    memory_free(acl->users);
    *acl = (struct acl){0};
}

static const struct acl_user *find_user(const struct acl *acl, struct slice access_key)
{
    for (size_t i = 0; i < acl->user_count; i++)
        if (slice_is(access_key, acl->users[i].access_key)) return &acl->users[i];
    return NULL;
}

/* AuthenticationFactory / AclUtils.combineRequestContent: all fields but the signature. */
static size_t signed_fields(const struct remoting_command *command,
                            struct command_field fields[COMMAND_MAX_FIELDS])
{
    size_t count = 0;
    for (size_t i = 0; i < command->field_count; i++) {
        const struct command_field *field = &command->fields[i];
        if (slice_is(field->name, "Signature")) continue;
        if (command->version < VERSION_SIGNS_UNIQUE_KEY_QUERY &&
            slice_is(field->name, "_UNIQUE_KEY_QUERY"))
            continue;
        fields[count++] = *field;
    }
    return count;
}

static bool signature_is_right(const struct acl_user *user, const struct remoting_command *command)
{
    struct command_field fields[COMMAND_MAX_FIELDS];
    char expected[SIGNATURE_TEXT_BYTES];
    size_t count = signed_fields(command, fields);
    if (signature_make(fields, count, command->body, slice_text(user->secret_key), expected,
                       NULL) != MQC_OK)
        return false;
    struct slice signature = remoting_command_field(command, "Signature");
    return signature.size == strlen(expected) &&
           CRYPTO_memcmp(signature.data, expected, signature.size) == 0;
}

bool acl_accepts(const struct acl *acl, const struct remoting_command *command, char *remark,
                 size_t remark_bytes)
{
    if (acl->user_count == 0) return true;
    struct slice access_key = remoting_command_field(command, "AccessKey");
    if (access_key.size == 0) {
        snprintf(remark, remark_bytes, "username cannot be null.");
        return false;
    }
    const struct acl_user *user = find_user(acl, access_key);
    if (!user) {
        snprintf(remark, remark_bytes, "User:%.*s is not found.",
                 access_key.size < 200 ? (int)access_key.size : 200, access_key.data);
        return false;
    }
    if (signature_is_right(user, command)) return true;
    snprintf(remark, remark_bytes, "check signature failed.");
    return false;
}
