/* Traces of messages as clients write them (TraceDataEncoder.java): records that end with the byte
 * 2, of fields that end with the byte 1, the first of which says what the record is. A consumption
 * has two, before and after, with a request id in common; they may be in different messages. Pure
 * functions: see decode.h. */
#include <stdlib.h>

#include "lib/admin/decode.h"
#include "lib/base/error.h"

enum { FIELDS_MOST = 16 };

/* The library's own view of an event, which the public struct is the beginning of. */
struct event {
    mqc_trace_event shown;
    const char *request_id;
    bool before; /* a consumption whose end is still to be found, or the other way round */
};

struct record {
    struct slice fields[FIELDS_MOST];
    size_t count;
};

static struct record split_record(struct slice text)
{
    struct record record = {.count = 0};
    while (text.data && record.count < FIELDS_MOST)
        record.fields[record.count++] = slice_split(&text, "\001");
    /* A separator behind the last field, too. */
    if (record.count > 1 && record.fields[record.count - 1].size == 0) record.count--;
    return record;
}

/* Absent fields and Java's "null" are "". */
static const char *text_field(mqc_trace *trace, const struct record *record, size_t number)
{
    struct slice field = number < record->count ? record->fields[number] : SLICE_ABSENT;
    return result_slice(trace, slice_is(field, "null") ? SLICE_ABSENT : field);
}

static int64_t number_field(const struct record *record, size_t number)
{
    int64_t value = 0;
    if (number < record->count) slice_to_int64(slice_trim(record->fields[number]), &value);
    return value;
}

static bool bool_field(const struct record *record, size_t number)
{
    return number < record->count && slice_to_bool(slice_trim(record->fields[number]));
}

/* By their places in an enum of Java's; "" for others. */
static const char *name_of(const char *const *names, size_t count, int64_t number)
{
    return number >= 0 && (size_t)number < count ? names[number] : "";
}

static const char *message_type(const struct record *record, size_t number)
{
    static const char *const NAMES[] = {"NORMAL", "HALF", "COMMIT", "DELAY", "ORDER"};
    return name_of(NAMES, sizeof NAMES / sizeof *NAMES, number_field(record, number));
}

/* The fields that several kinds have, by their numbers; 0: none. */
struct layout {
    size_t time, region, group, topic, id, tags, keys, broker;
};

static struct event *new_event(mqc_trace *trace, mqc_trace_kind kind, const struct record *record,
                               const struct layout *layout, const char *client_host)
{
    struct event *event = result_add(trace, 1, sizeof *event);
    if (!event) return NULL;
    const struct {
        const char **place;
        size_t number;
    } texts[] = {
        {&event->shown.region, layout->region},
        {&event->shown.group, layout->group},
        {&event->shown.topic, layout->topic},
        {&event->shown.message_id, layout->id},
        {&event->shown.tags, layout->tags},
        {&event->shown.keys, layout->keys},
        {&event->shown.broker_address, layout->broker},
    };
    event->shown.kind = kind;
    event->shown.finished = true;
    event->shown.offset_message_id = event->shown.message_type = event->shown.result =
        event->shown.transaction_state = event->request_id = "";
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i].place = texts[i].number ? text_field(trace, record, texts[i].number) : "";
        if (!*texts[i].place) return NULL;
    }
    if (layout->time) event->shown.unix_ms = number_field(record, layout->time);
    event->shown.client_host = result_text(trace, client_host);
    return event->shown.client_host ? event : NULL;
}

/* ---- the kinds of records; NULL: no memory ---- */

static struct event *read_send(mqc_trace *trace, const struct record *record, const char *host)
{
    static const struct layout LAYOUT = {1, 2, 3, 4, 5, 6, 7, 8};
    struct event *event = new_event(trace, MQC_TRACE_SEND, record, &LAYOUT, host);
    if (!event) return NULL;
    event->shown.body_bytes = (int)number_field(record, 9);
    event->shown.cost_ms = (int)number_field(record, 10);
    event->shown.message_type = message_type(record, 11);
    /* 4.x wrote no offset id at first. */
    bool has_offset_id = record->count >= 14;
    event->shown.success = bool_field(record, has_offset_id ? 13 : 12);
    if (has_offset_id) event->shown.offset_message_id = text_field(trace, record, 12);
    return event->shown.offset_message_id ? event : NULL;
}

static struct event *read_before(mqc_trace *trace, const struct record *record, const char *host)
{
    static const struct layout LAYOUT = {1, 2, 3, 0, 5, 0, 7, 0};
    struct event *event = new_event(trace, MQC_TRACE_CONSUME, record, &LAYOUT, host);
    if (!event) return NULL;
    event->before = true;
    event->shown.finished = false;
    event->shown.retry_times = (int)number_field(record, 6);
    event->request_id = text_field(trace, record, 4);
    return event->request_id ? event : NULL;
}

static struct event *read_after(mqc_trace *trace, const struct record *record, const char *host)
{
    static const char *const RESULTS[] = {"SUCCESS", "TIME_OUT", "EXCEPTION", "RETURNNULL",
                                          "FAILED"};
    static const struct layout LAYOUT = {7, 0, 8, 0, 2, 0, 5, 0};
    struct event *event = new_event(trace, MQC_TRACE_CONSUME, record, &LAYOUT, host);
    if (!event) return NULL;
    event->shown.cost_ms = (int)number_field(record, 3);
    event->shown.success = bool_field(record, 4);
    if (record->count > 6)
        event->shown.result =
            name_of(RESULTS, sizeof RESULTS / sizeof *RESULTS, number_field(record, 6));
    event->request_id = text_field(trace, record, 1);
    return event->request_id ? event : NULL;
}

static struct event *read_transaction(mqc_trace *trace, const struct record *record,
                                      const char *host)
{
    static const struct layout LAYOUT = {1, 2, 3, 4, 5, 6, 7, 8};
    struct event *event = new_event(trace, MQC_TRACE_END_TRANSACTION, record, &LAYOUT, host);
    if (!event) return NULL;
    event->shown.message_type = message_type(record, 9);
    event->shown.transaction_state = text_field(trace, record, 11);
    event->shown.from_check = bool_field(record, 12);
    event->shown.success = true;
    return event->shown.transaction_state ? event : NULL;
}

static struct event *read_recall(mqc_trace *trace, const struct record *record, const char *host)
{
    static const struct layout LAYOUT = {1, 2, 3, 4, 5, 0, 0, 0};
    struct event *event = new_event(trace, MQC_TRACE_RECALL, record, &LAYOUT, host);
    if (event) event->shown.success = bool_field(record, 6);
    return event;
}

static const struct {
    const char *name;
    size_t fields; /* at least; what is shorter is damaged */
    size_t id;     /* the field that has the message's id */
    struct event *(*read)(mqc_trace *trace, const struct record *record, const char *host);
} RECORDS[] = {
    {"Pub", 13, 5, read_send},      {"SubBefore", 8, 5, read_before},
    {"SubAfter", 6, 2, read_after}, {"EndTransaction", 13, 5, read_transaction},
    {"Recall", 7, 5, read_recall},
};

mqc_status trace_add(mqc_trace *trace, struct slice body, const char *message_id,
                     const char *client_host, mqc_error *error)
{
    struct slice rest = body;
    while (rest.data) {
        struct record record = split_record(slice_split(&rest, "\002"));
        for (size_t i = 0; i < sizeof RECORDS / sizeof *RECORDS; i++) {
            if (!slice_is(record.fields[0], RECORDS[i].name) || record.count < RECORDS[i].fields ||
                !slice_is(record.fields[RECORDS[i].id], message_id))
                continue;
            if (!result_append(trace, &trace->events, &trace->count,
                               RECORDS[i].read(trace, &record, client_host)))
                return error_no_memory(error);
        }
    }
    return MQC_OK;
}

/* ---- putting together ---- */

static int compare_events(const void *a, const void *b)
{
    const mqc_trace_event *left = *(const mqc_trace_event *const *)a;
    const mqc_trace_event *right = *(const mqc_trace_event *const *)b;
    int order = (left->unix_ms > right->unix_ms) - (left->unix_ms < right->unix_ms);
    return order ? order : (left->kind > right->kind) - (left->kind < right->kind);
}

static struct event *event_at(const mqc_trace *trace, size_t number)
{
    return (struct event *)(uintptr_t)trace->events[number];
}

/* Beginnings of consumptions before ends, each by request: what belongs together is found in one
 * walk, however many events somebody has written. */
static int kind_of(const struct event *event)
{
    return event->shown.kind != MQC_TRACE_CONSUME ? 2 : event->before ? 0 : 1;
}

static int compare_requests(const void *a, const void *b)
{
    const struct event *left = *(const struct event *const *)a;
    const struct event *right = *(const struct event *const *)b;
    int order = kind_of(left) - kind_of(right);
    if (!order) order = strcmp(left->request_id, right->request_id);
    return order ? order : compare_events(a, b);
}

/* Takes the end of a consumption over into its beginning; the end that has none stays. */
void trace_finish(mqc_trace *trace)
{
    const mqc_trace_event **events = (const mqc_trace_event **)(uintptr_t)trace->events;
    size_t open = 0, kept = 0, beginnings = 0;
    result_sort(trace->events, trace->count, compare_requests);
    while (beginnings < trace->count && kind_of(event_at(trace, beginnings)) == 0) beginnings++;
    for (size_t i = beginnings; i < trace->count; i++) {
        const struct event *after = event_at(trace, i);
        struct event *before = NULL;
        int order = 1;
        if (kind_of(after) != 1) break;
        for (; order > 0 && open < beginnings; open++) {
            before = event_at(trace, open);
            order = strcmp(after->request_id, before->request_id);
            if (order < 0) break;
        }
        if (order != 0) continue;
        before->shown.finished = true;
        before->shown.cost_ms = after->shown.cost_ms;
        before->shown.success = after->shown.success;
        before->shown.result = after->shown.result;
        events[i] = NULL;
    }
    for (size_t i = 0; i < trace->count; i++)
        if (events[i]) events[kept++] = events[i];
    trace->count = kept;
    result_sort(trace->events, trace->count, compare_events);
}

const char *mqc_trace_kind_name(mqc_trace_kind kind)
{
    static const char *const NAMES[] = {"SEND", "CONSUME", "END_TRANSACTION", "RECALL"};
    return (unsigned)kind < sizeof NAMES / sizeof *NAMES ? NAMES[kind] : "UNKNOWN";
}
