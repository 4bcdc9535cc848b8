/* How far a broadcasting consumer has come: a file on this machine, since each member has offsets
 * of its own (LocalFileOffsetStore.java, whose files these are: either side reads the other's). It
 * is replaced as a whole: whatever kills the process, or the machine, leaves the old or the new
 * one. Offsets are put from any thread; saving writes and waits for the disk. */
#ifndef CONSUMER_OFFSET_FILE_H
#define CONSUMER_OFFSET_FILE_H

#include <mqclient/client.h>
#include <mqclient/message.h>

struct offset_file;

/* The folder of a group's file: `path`/group when there is a path, else where the Java client has
 * it: ~/.rocketmq_offsets/ip@name[@unit]/group, with the name DEFAULT when none is given. It does
 * not depend on the client id, which is another one at each start. Free it with memory_free. */
mqc_status offset_file_folder(const char *path, const char *group, const mqc_client_options *client,
                              char **out, mqc_error *error);

/* Makes the folder if there is none, and reads what is there. Without a folder nothing is read or
 * written, and the offsets are gone with the consumer. A damaged file is reported, renamed
 * to
 * *.damaged, and its backup is read instead. MQC_BUSY when another consumer uses the folder. */
mqc_status offset_file_open(const char *folder, struct offset_file **out, mqc_error *error);
void offset_file_close(struct offset_file *file); /* does not save; NULL is fine */
/* Lets another have the folder: from here on nothing is written any more. */
void offset_file_release(struct offset_file *file);

int64_t offset_file_get(struct offset_file *file, const mqc_message_queue *queue); /* -1: none */
mqc_status offset_file_put(struct offset_file *file, const mqc_message_queue *queue, int64_t offset,
                           mqc_error *error);

/* Writes the file when something has changed since it was written last. After a failure the old
 * file is still there, and the next call tries again. Blocks. */
mqc_status offset_file_save(struct offset_file *file, mqc_error *error);

#endif
