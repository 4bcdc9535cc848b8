/* The file in which a broadcasting consumer keeps its offsets, whatever has happened to it: it is
 * opened, and what was read out of it must be read again once it has been written anew. */
#include <fcntl.h>
#include <mqclient/log.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "lib/consumer/offset_file.h"
#include "lib/protocol/bodies.h"
#include "test/fuzz/fuzz.h"

static char folder[64];
static int folder_fd = -1;

static const char *const NAMES[] = {"offsets.json", "offsets.json.bak", "offsets.json.damaged"};

static void remove_folder(void)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) unlinkat(folder_fd, NAMES[i], 0);
    rmdir(folder);
}

static void make_folder(void)
{
    mqc_log_set_level(MQC_LOG_OFF);
    /* In memory where there is such a file system. */
    snprintf(folder, sizeof folder, "%s/mqc-fuzz-offsets-%d",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
    FUZZ_HOLDS(mkdir(folder, 0700) == 0);
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_HOLDS(folder_fd >= 0);
    atexit(remove_folder);
}

static void write_file(const uint8_t *bytes, size_t size)
{
    int fd = openat(folder_fd, NAMES[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_HOLDS(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    close(fd);
    unlinkat(folder_fd, NAMES[1], 0);
}

/* Two openings of the file. */
struct files {
    struct offset_file *before, *after;
};

static void compare(struct slice topic, struct slice broker_name, int32_t queue_id, int64_t offset,
                    void *arg)
{
    struct files *files = arg;
    (void)offset; /* perhaps not the last one of its queue */
    char *texts[] = {slice_duplicate(topic), slice_duplicate(broker_name)};
    /* Names with zero bytes are none. */
    if (texts[0] && texts[1] && strlen(texts[0]) == topic.size &&
        strlen(texts[1]) == broker_name.size) {
        mqc_message_queue queue = {texts[0], texts[1], queue_id};
        FUZZ_HOLDS(offset_file_get(files->before, &queue) == offset_file_get(files->after, &queue));
    }
    memory_free(texts[0]);
    memory_free(texts[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const mqc_message_queue own = {"fuzz", "broker", 7};
    struct files files;
    if (folder_fd < 0) make_folder();
    write_file(bytes, size);
    FUZZ_HOLDS(offset_file_open(folder, &files.before, NULL) == MQC_OK);
    offset_file_put(files.before, &own, (int64_t)size, NULL);
    FUZZ_HOLDS(offset_file_save(files.before, NULL) == MQC_OK);
    offset_file_release(files.before);
    FUZZ_HOLDS(offset_file_open(folder, &files.after, NULL) == MQC_OK);
    FUZZ_HOLDS(offset_file_get(files.after, &own) == (int64_t)size);
    reset_offset_decode(slice_of(bytes, size), compare, &files, NULL);
    offset_file_close(files.before);
    offset_file_close(files.after);
    return 0;
}
