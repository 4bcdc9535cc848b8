/* The files of one folder of offsets: reading, replacing, setting aside. For offset_file.c, which
 * sees to it that one thread at a time is here. */
#ifndef CONSUMER_OFFSET_FOLDER_H
#define CONSUMER_OFFSET_FOLDER_H

#include <mqclient/status.h>

#include "lib/base/buffer.h"

#define OFFSETS_NAME        "offsets.json"
#define OFFSETS_BACKUP_NAME "offsets.json.bak"

struct offset_folder {
    char *path;
    int fd; /* of the folder; locked as long as it is open */
};

/* Makes the folder and those above it; MQC_BUSY when somebody else has it. */
mqc_status offset_folder_open(struct offset_folder *folder, const char *path, mqc_error *error);
void offset_folder_close(struct offset_folder *folder);

/* MQC_NOT_FOUND when there is no such file. */
mqc_status offset_folder_read(struct offset_folder *folder, const char *name, struct buffer *text,
                              mqc_error *error);
/* The new text is OFFSETS_NAME, the one before OFFSETS_BACKUP_NAME; both are there at any time. */
mqc_status offset_folder_replace(struct offset_folder *folder, struct slice text, mqc_error *error);
/* Renames to *.damaged. */
void offset_folder_set_aside(struct offset_folder *folder, const char *name);

#endif
