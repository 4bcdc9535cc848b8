/* What calls of the admin API answer with: a struct and all that hangs on it, freed together by
 * mqc_admin_result_free. Built by one thread, then only read. Adding to a result never frees what
 * was there before: whoever fails in the middle frees the result and is done. */
#ifndef ADMIN_RESULT_H
#define ADMIN_RESULT_H

#include <mqclient/admin.h>

#include "lib/base/slice.h"

/* A new result of so many zero bytes; NULL: no memory. */
void *result_new(size_t bytes);

/* Zeroed memory that is freed with the result; NULL: no memory. */
void *result_add(void *result, size_t count, size_t bytes);

/* A zero-ended copy that is freed with the result ("" for an absent slice); NULL: no memory. */
const char *result_slice(void *result, struct slice text);
const char *result_text(void *result, const char *text);

/* Appends an item to an array of pointers in the result; `array` is the address of the member that
 * points to it. false: no memory, also when the item is NULL because there was none for it. */
bool result_append(void *result, void *array, size_t *count, const void *item);

/* Sorts such an array; `compare` is given pointers to the pointers, as by qsort. */
void result_sort(const void *array, size_t count, int (*compare)(const void *, const void *));

/* Has a message freed with the result; takes the reference over, also on failure. */
bool result_keep_message(void *result, mqc_message *message);

/* ---- lists of names and settings ---- */

bool result_add_name(void *result, mqc_name_list *list, struct slice name);
void result_sort_names(mqc_name_list *list); /* and drops what is there twice */

bool result_add_setting(void *result, mqc_settings *settings, const char *name, struct slice value);
void result_sort_settings(mqc_settings *settings);

int compare_message_queues(const mqc_message_queue *a, const mqc_message_queue *b);

#endif
