/* The files of one folder of offsets. Whoever consumes in broadcasting mode saves here: scheduled
 * executor, rebalance service, shutdown; one thread at a time. */
#include "lib/consumer/offset_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"

#define NEW_NAME        OFFSETS_NAME ".new"
#define NEW_BACKUP_NAME OFFSETS_BACKUP_NAME ".new"

enum { FILE_BYTES_MOST = 64 << 20, READ_BYTES = 64 << 10 };

static mqc_status failed(const struct offset_folder *folder, const char *doing, const char *name,
                         mqc_error *error);
static mqc_status make_folders(const struct offset_folder *folder, mqc_error *error);
static mqc_status open_locked(struct offset_folder *folder, mqc_error *error);
static mqc_status make_anew_when_gone(struct offset_folder *folder, mqc_error *error);
static mqc_status write_new(struct offset_folder *folder, struct slice text, mqc_error *error);
static bool write_all(int fd, struct slice text);
static bool keep_backup(const struct offset_folder *folder);

mqc_status offset_folder_open(struct offset_folder *folder, const char *path, mqc_error *error)
{
    *folder = (struct offset_folder){.path = memory_duplicate(path), .fd = -1};
    if (!folder->path) return error_no_memory(error);
    mqc_status status = open_locked(folder, error);
    if (status != MQC_OK) offset_folder_close(folder);
    return status;
}

void offset_folder_close(struct offset_folder *folder)
{
    if (folder->fd >= 0) close(folder->fd);
    memory_free(folder->path);
    *folder = (struct offset_folder){.fd = -1};
}

mqc_status offset_folder_read(struct offset_folder *folder, const char *name, struct buffer *text,
                              mqc_error *error)
{
    int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return MQC_NOT_FOUND;
    if (fd < 0) return failed(folder, "open", name, error);
    mqc_status status = MQC_OK;
    ssize_t got = 1;
    while (got != 0 && status == MQC_OK) {
        char *place = buffer_reserve(text, READ_BYTES);
        got = place ? read(fd, place, READ_BYTES) : 0;
        if (!place)
            status = error_no_memory(error);
        else if (got < 0 && errno != EINTR)
            status = failed(folder, "read", name, error);
        else if (got > 0)
            buffer_commit(text, (size_t)got);
        if (text->size > FILE_BYTES_MOST)
            status = error_set(error, MQC_TOO_BIG, "%s/%s has more than %d bytes", folder->path,
                               name, FILE_BYTES_MOST);
    }
    close(fd);
    return status;
}

mqc_status offset_folder_replace(struct offset_folder *folder, struct slice text, mqc_error *error)
{
    mqc_status status = make_anew_when_gone(folder, error);
    if (status == MQC_OK) status = write_new(folder, text, error);
    if (status != MQC_OK) return status;
    if (!keep_backup(folder)) {
        status = failed(folder, "keep a backup of", OFFSETS_NAME, error);
    } else if (renameat(folder->fd, NEW_NAME, folder->fd, OFFSETS_NAME) != 0) {
        status = failed(folder, "replace", OFFSETS_NAME, error);
    }
    if (status != MQC_OK) {
        unlinkat(folder->fd, NEW_NAME, 0);
        return status;
    }
    /* The names, too, are to outlive the machine's power; some file systems cannot say. */
    if (fsync(folder->fd) != 0 && errno != EINVAL && errno != EBADF && errno != ENOTSUP)
        return failed(folder, "write", "", error);
    return MQC_OK;
}

void offset_folder_set_aside(struct offset_folder *folder, const char *name)
{
    char aside[64];
    snprintf(aside, sizeof aside, "%s.damaged", name);
    if (renameat(folder->fd, name, folder->fd, aside) != 0) {
        mqc_error error;
        failed(folder, "rename", name, &error);
        log_warn(LOG_OFFSETS, "%s", error.text);
    }
}

static mqc_status failed(const struct offset_folder *folder, const char *doing, const char *name,
                         mqc_error *error)
{
    int number = errno;
    char text[400];
    snprintf(text, sizeof text, "%s %s/%s", doing, folder->path, name);
    return error_system(error, number, text);
}

/* ---- the folder ---- */

static mqc_status open_locked(struct offset_folder *folder, mqc_error *error)
{
    mqc_status status = make_folders(folder, error);
    if (status != MQC_OK) return status;
    int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed(folder, "open", "", error);
    /* Two consumers would overwrite each other's offsets. Where a file system has no such locks,
     * nobody watches over that. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(fd);
        error_set(error, MQC_BUSY,
                  "%s is in use by another consumer: each of a group on one machine needs an "
                  "instanceName (instance_name) or offsetStorePath (offset_store_path) of its own",
                  folder->path);
        error_mark_retryable(error);
        return MQC_BUSY;
    }
    folder->fd = fd;
    return MQC_OK;
}

static mqc_status make_folders(const struct offset_folder *folder, mqc_error *error)
{
    char *path = memory_duplicate(folder->path);
    mqc_status status = path ? MQC_OK : error_no_memory(error);
    for (char *at = path; status == MQC_OK && at;) {
        at = strchr(at + 1, '/');
        if (at) *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            struct stat found;
            int number = errno;
            /* A read-only file system says so of folders that exist. */
            bool is_there = stat(path, &found) == 0;
            errno = number;
            if (!is_there) status = failed(folder, "make the folder", "", error);
        }
        if (at) *at = '/';
    }
    memory_free(path);
    return status;
}

/* Somebody has cleaned up: what is in memory goes into a new folder. */
static mqc_status make_anew_when_gone(struct offset_folder *folder, mqc_error *error)
{
    struct stat here, there;
    if (folder->fd >= 0 && fstat(folder->fd, &here) == 0 && stat(folder->path, &there) == 0 &&
        here.st_ino == there.st_ino && here.st_dev == there.st_dev)
        return MQC_OK;
    log_warn(LOG_OFFSETS, "the folder %s has been removed: made anew", folder->path);
    if (folder->fd >= 0) close(folder->fd);
    folder->fd = -1;
    return open_locked(folder, error);
}

/* ---- the file ---- */

static mqc_status write_new(struct offset_folder *folder, struct slice text, mqc_error *error)
{
    int fd = openat(folder->fd, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return failed(folder, "open", NEW_NAME, error);
    mqc_status status = MQC_OK;
    if (!write_all(fd, text) || fsync(fd) != 0) status = failed(folder, "write", NEW_NAME, error);
    if (close(fd) != 0 && status == MQC_OK) status = failed(folder, "write", NEW_NAME, error);
    if (status != MQC_OK) unlinkat(folder->fd, NEW_NAME, 0);
    return status;
}

static bool write_all(int fd, struct slice text)
{
    while (text.size > 0) {
        ssize_t written = write(fd, text.data, text.size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.data += written;
        text.size -= (size_t)written;
    }
    return true;
}

/* By a second name, so that the file itself is there all the time; where names are single, by a
 * rename. */
static bool keep_backup(const struct offset_folder *folder)
{
    int fd = folder->fd;
    unlinkat(fd, NEW_BACKUP_NAME, 0);
    if (linkat(fd, OFFSETS_NAME, fd, NEW_BACKUP_NAME, 0) == 0)
        return renameat(fd, NEW_BACKUP_NAME, fd, OFFSETS_BACKUP_NAME) == 0;
    if (errno == ENOENT) return true;
    return renameat(fd, OFFSETS_NAME, fd, OFFSETS_BACKUP_NAME) == 0;
}
