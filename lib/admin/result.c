/* The memory of results: see result.h. Every block of a result is chained to its head, which lies
 * in front of the struct that the caller sees. */
#include "lib/admin/result.h"

#include <stdalign.h>
#include <stdlib.h>

#include "lib/base/bug.h"
#include "lib/base/memory.h"

enum { RESULT_MAGIC = 0x52455355 };

struct block {
    struct block *next;
    mqc_message *message; /* to be dropped with the block; may be NULL */
    alignas(max_align_t) char bytes[];
};

struct head {
    struct block *blocks;
    unsigned magic;
    alignas(max_align_t) char bytes[];
};

static struct head *head_of(const void *result)
{
    struct head *head = (struct head *)((char *)(uintptr_t)result - offsetof(struct head, bytes));
    if (head->magic != RESULT_MAGIC)
        BUG("this is no result of the admin API, or it was freed before");
    return head;
}

void *result_new(size_t bytes)
{
    struct head *head = memory_allocate_zero(1, sizeof *head + bytes);
    if (!head) return NULL;
    head->magic = RESULT_MAGIC;
    return head->bytes;
}

static struct block *new_block(void *result, size_t bytes)
{
    struct head *head = head_of(result);
    struct block *block = memory_allocate_zero(1, sizeof *block + bytes);
    if (!block) return NULL;
    block->next = head->blocks;
    head->blocks = block;
    return block;
}

void *result_add(void *result, size_t count, size_t bytes)
{
    if (bytes > 0 && count > SIZE_MAX / 2 / bytes) return NULL;
    struct block *block = new_block(result, count * bytes);
    return block ? block->bytes : NULL;
}

const char *result_slice(void *result, struct slice text)
{
    char *copy = result_add(result, text.size + 1, 1);
    if (copy && text.size > 0) memcpy(copy, text.data, text.size);
    return copy;
}

const char *result_text(void *result, const char *text)
{
    return result_slice(result, slice_text(text));
}

bool result_append(void *result, void *array, size_t *count, const void *item)
{
    const void **items;
    if (!item) return false;
    memcpy(&items, array, sizeof items);
    /* Full at every power of two, so that no capacity has to be kept. */
    if ((*count & (*count - 1)) == 0) {
        const void **grown = result_add(result, *count ? *count * 2 : 1, sizeof *grown);
        if (!grown) return false;
        if (*count > 0) memcpy(grown, items, *count * sizeof *grown);
        items = grown;
        memcpy(array, &items, sizeof items);
    }
    items[(*count)++] = item;
    return true;
}

void result_sort(const void *array, size_t count, int (*compare)(const void *, const void *))
{
    if (count > 1) qsort((void *)(uintptr_t)array, count, sizeof(void *), compare);
}

bool result_keep_message(void *result, mqc_message *message)
{
    struct block *block = new_block(result, 0);
    if (block)
        block->message = message;
    else
        mqc_message_free(message);
    return block != NULL;
}

void mqc_admin_result_free(const void *result)
{
    if (!result) return;
    struct head *head = head_of(result);
    while (head->blocks) {
        struct block *block = head->blocks;
        head->blocks = block->next;
        mqc_message_free(block->message);
        memory_free(block);
    }
    head->magic = 0;
    memory_free(head);
}

/* ---- names and settings ---- */

bool result_add_name(void *result, mqc_name_list *list, struct slice name)
{
    return result_append(result, &list->names, &list->count, result_slice(result, name));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void result_sort_names(mqc_name_list *list)
{
    const char **names = (const char **)(uintptr_t)list->names;
    result_sort(list->names, list->count, compare_names);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0) names[kept++] = names[i];
    list->count = kept;
}

bool result_add_setting(void *result, mqc_settings *settings, const char *name, struct slice value)
{
    mqc_setting *setting = result_add(result, 1, sizeof *setting);
    if (!setting) return false;
    setting->name = result_text(result, name);
    setting->value = result_slice(result, value);
    return setting->name && setting->value &&
           result_append(result, &settings->settings, &settings->count, setting);
}

static int compare_settings(const void *a, const void *b)
{
    return strcmp((*(const mqc_setting *const *)a)->name, (*(const mqc_setting *const *)b)->name);
}

void result_sort_settings(mqc_settings *settings)
{
    result_sort(settings->settings, settings->count, compare_settings);
}

const char *mqc_settings_value(const mqc_settings *settings, const char *name)
{
    for (size_t i = 0; settings && name && i < settings->count; i++)
        if (strcmp(settings->settings[i]->name, name) == 0) return settings->settings[i]->value;
    return NULL;
}

int compare_message_queues(const mqc_message_queue *a, const mqc_message_queue *b)
{
    int order = strcmp(a->topic, b->topic);
    if (order == 0) order = strcmp(a->broker_name, b->broker_name);
    return order ? order : (a->queue_id > b->queue_id) - (a->queue_id < b->queue_id);
}
