/* Takes the place of the client layer under offset_store.c: notes what the broker is told, fails
 * the test when it is told two things at a time, and answers when the test says so. */
#ifndef UNIT_FAKE_OFFSETS_H
#define UNIT_FAKE_OFFSETS_H

#include <pthread.h>

#include "lib/consumer/offset_store.h"

enum { FAKE_OFFSETS_MOST = 16 };

struct fake_offsets {
    pthread_mutex_t lock;
    int64_t told[FAKE_OFFSETS_MOST]; /* all updates in order */
    int count;
    remoting_done *done; /* of the update that is not answered yet */
    void *arg;
    bool refuses; /* calls fail at once */
    bool has_no_master;
    struct intern names; /* the instance's; for the test to init and end */
};
extern struct fake_offsets fake_offsets;

/* The answer to the update under way; a `code` of -1: none comes in time. */
void fake_offsets_answer(int32_t code);

#endif
