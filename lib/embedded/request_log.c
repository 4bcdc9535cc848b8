/* The log of requests: see request_log.h. Filled by the dispatcher, read by the public API. */
#include "lib/embedded/request_log.h"

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/protocol/codes.h"

void request_log_init(struct request_log *log)
{
    *log = (struct request_log){0};
}

void request_log_done(struct request_log *log)
{
    for (size_t i = 0; log->ring && i < REQUEST_LOG_MAX; i++) memory_free(log->ring[i]);
    memory_free(log->ring);
}

static const char *append(char **at, struct slice text)
{
    char *place = *at;
    if (text.size > 0) memcpy(place, text.data, text.size);
    place[text.size] = '\0';
    *at += text.size + 1;
    return place;
}

static struct logged_request *logged_request_new(const struct request_note *note)
{
    enum { SHOWN_MAX = 1024 };
    struct slice client_id = slice_text(note->client_id ? note->client_id : "");
    struct slice topic = note->topic, group = note->group, peer = slice_text(note->peer);
    if (topic.size > SHOWN_MAX) topic.size = SHOWN_MAX;
    if (group.size > SHOWN_MAX) group.size = SHOWN_MAX;
    if (client_id.size > SHOWN_MAX) client_id.size = SHOWN_MAX;
    size_t text = client_id.size + topic.size + group.size + peer.size + 4;
    struct logged_request *logged = memory_allocate(sizeof *logged + text);
    if (!logged) return NULL;
    char *at = (char *)(logged + 1);
    logged->what = (mqc_embedded_request){
        .unix_ms = clock_unix_ms(),
        .code = note->code,
        .name = request_code_name(note->code),
        .server = note->server,
        .body_bytes = note->body_bytes,
        .oneway = note->oneway,
    };
    logged->what.client_id = append(&at, client_id);
    logged->what.topic = append(&at, topic);
    logged->what.group = append(&at, group);
    logged->what.peer = append(&at, peer);
    return logged;
}

struct logged_request *logged_request_copy(const struct logged_request *from)
{
    struct request_note note = {
        .code = from->what.code,
        .server = from->what.server,
        .client_id = from->what.client_id,
        .peer = from->what.peer,
        .topic = slice_text(from->what.topic),
        .group = slice_text(from->what.group),
        .body_bytes = from->what.body_bytes,
        .oneway = from->what.oneway,
    };
    struct logged_request *copy = logged_request_new(&note);
    if (!copy) return NULL;
    copy->what.number = from->what.number;
    copy->what.unix_ms = from->what.unix_ms;
    copy->what.answered = from->what.answered;
    copy->what.answer_code = from->what.answer_code;
    return copy;
}

static void count_code(struct request_log *log, int32_t code)
{
    size_t i = 0;
    while (i < log->code_count && log->codes[i].code != code) i++;
    if (i == REQUEST_LOG_CODES) return; /* somebody tries all numbers there are */
    if (i == log->code_count) log->codes[log->code_count++].code = code;
    log->codes[i].count++;
}

int64_t request_log_add(struct request_log *log, const struct request_note *note)
{
    int64_t number = ++log->count;
    count_code(log, note->code);
    if (!log->ring) log->ring = memory_allocate_zero(REQUEST_LOG_MAX, sizeof *log->ring);
    if (!log->ring) return number;
    struct logged_request **place = &log->ring[number % REQUEST_LOG_MAX];
    memory_free(*place);
    *place = logged_request_new(note);
    if (*place) (*place)->what.number = number;
    return number;
}

struct logged_request *request_log_find(const struct request_log *log, int64_t number)
{
    if (!log->ring || number < 1 || number > log->count) return NULL;
    struct logged_request *logged = log->ring[number % REQUEST_LOG_MAX];
    return logged && logged->what.number == number ? logged : NULL;
}

void request_log_answer(struct request_log *log, int64_t number, int32_t code)
{
    struct logged_request *logged = request_log_find(log, number);
    if (!logged) return;
    logged->what.answered = true;
    logged->what.answer_code = code;
}

int64_t request_log_count(const struct request_log *log, int32_t code)
{
    if (code == 0) return log->count;
    for (size_t i = 0; i < log->code_count; i++)
        if (log->codes[i].code == code) return log->codes[i].count;
    return 0;
}
