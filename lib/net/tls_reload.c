/* Files of a client's TLS settings that change: they are looked at whenever a connection is made,
 * and read again when one of them is another than before. Any thread; called by tls_session.c. What
 * cannot be read leaves the former ones in use: files are seldom replaced all at once. */
#include <openssl/err.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/net/tls_private.h"

static bool own_texts(struct tls_files *files);
static void take_stamps(const struct tls_files *files, struct file_stamp out[TLS_FILES]);
static void read_again(struct tls_context *context);

enum { TEXTS = 6 };

/* Every text of the settings, keys and passwords among them; the files first. */
static const char **text_at(struct tls_files *files, size_t index)
{
    mqc_tls_options *options = &files->options;
    const char **texts[TEXTS] = {
        &options->ca_file, &options->certificate_file, &options->key_file,
        &files->crl_file,  &options->key_password,     &options->server_name,
    };
    return texts[index];
}

mqc_status tls_files_new(const mqc_tls_options *options, const char *crl_file,
                         struct tls_files **out, mqc_error *error)
{
    struct tls_files *files = memory_allocate_zero(1, sizeof *files);
    if (!files) return error_no_memory(error);
    files->options = *options;
    files->crl_file = crl_file;
    if (!own_texts(files)) {
        tls_files_free(files);
        return error_no_memory(error);
    }
    take_stamps(files, files->stamps);
    *out = files;
    return MQC_OK;
}

static bool own_texts(struct tls_files *files)
{
    bool done = true;
    for (size_t i = 0; i < TEXTS; i++) {
        const char *borrowed = *text_at(files, i);
        *text_at(files, i) = memory_duplicate(borrowed);
        done = done && (*text_at(files, i) || !borrowed);
    }
    return done;
}

void tls_files_free(struct tls_files *files)
{
    if (!files) return;
    for (size_t i = 0; i < TEXTS; i++) memory_free_secret((char *)(uintptr_t)*text_at(files, i));
    memory_free(files);
}

/* A file that is not there has a stamp, too: none. */
static void take_stamps(const struct tls_files *files, struct file_stamp out[TLS_FILES])
{
    for (size_t i = 0; i < TLS_FILES; i++) {
        const char *path = *text_at((struct tls_files *)(uintptr_t)files, i);
        struct stat status;
        out[i] = (struct file_stamp){0};
        if (!path || !path[0] || tls_is_pem(path) || stat(path, &status) != 0) continue;
        out[i] = (struct file_stamp){status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                                     (uint64_t)status.st_ino, (int64_t)status.st_size};
    }
}

static bool same_stamps(const struct file_stamp *a, const struct file_stamp *b)
{
    for (size_t i = 0; i < TLS_FILES; i++)
        if (a[i].seconds != b[i].seconds || a[i].nanoseconds != b[i].nanoseconds ||
            a[i].number != b[i].number || a[i].size != b[i].size)
            return false;
    return true;
}

SSL_CTX *tls_context_current(struct tls_context *context)
{
    struct tls_files *files = context->files;
    struct file_stamp now[TLS_FILES];
    bool mine = false;
    if (files) {
        take_stamps(files, now);
        lock_take(&context->lock);
        /* One reads, others go on with what there is. */
        mine = !context->reading && !same_stamps(files->stamps, now);
        if (mine) memcpy(files->stamps, now, sizeof now);
        if (mine) context->reading = true;
        lock_release(&context->lock);
    }
    if (mine) read_again(context);
    lock_take(&context->lock);
    SSL_CTX *current = context->openssl;
    SSL_CTX_up_ref(current);
    lock_release(&context->lock);
    return current;
}

static void read_again(struct tls_context *context)
{
    struct tls_files *files = context->files;
    struct tls_context *fresh = NULL;
    mqc_error error;
    bool good = tls_context_make(&files->options, files->crl_file, &fresh, &error) == MQC_OK;
    lock_take(&context->lock);
    if (good) {
        SSL_CTX *former = context->openssl;
        context->openssl = fresh->openssl;
        fresh->openssl = former;
    }
    context->reading = false;
    lock_release(&context->lock);
    tls_context_free(fresh);
    if (good)
        log_info(LOG_REMOTING, "tls: files of certificates have changed, and are used from now on");
    else
        log_warn(LOG_REMOTING,
                 "tls: files of certificates have changed and cannot be used; the former ones are "
                 "still in use: %s",
                 error.text);
}
