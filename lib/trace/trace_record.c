/* Encoding trace records: see trace_record.h. Called by the threads whose doing is recorded. */
#include "lib/trace/trace_record.h"

enum { FIELD_END = 1, RECORD_END = 2 };

/* A separator inside a text would shift all fields behind it. */
static void put_text(struct buffer *out, struct slice text)
{
    if (!text.data) text = SLICE_LITERAL("null");
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        buffer_put_8(out, (uint8_t)(byte == FIELD_END || byte == RECORD_END ? ' ' : byte));
    }
    buffer_put_8(out, FIELD_END);
}

static void put_name(struct buffer *out, const char *name)
{
    put_text(out, slice_text(name));
}

static void put_number(struct buffer *out, int64_t number)
{
    buffer_put_decimal(out, number);
    buffer_put_8(out, FIELD_END);
}

static void put_truth(struct buffer *out, bool truth)
{
    put_name(out, truth ? "true" : "false");
}

/* The last field has no end of its own. */
static void end_record(struct buffer *out)
{
    if (!out->failed && out->size > 0) out->data[out->size - 1] = RECORD_END;
}

void trace_record_publish(struct buffer *out, const struct trace_publish *record)
{
    put_name(out, "Pub");
    put_number(out, record->unix_ms);
    put_text(out, record->region);
    put_text(out, record->group);
    put_text(out, record->topic);
    put_text(out, record->message_id);
    put_text(out, record->tags);
    put_text(out, record->keys);
    put_text(out, record->broker_address);
    put_number(out, (int64_t)record->body_bytes);
    put_number(out, record->cost_ms);
    put_number(out, record->type);
    put_text(out, record->offset_message_id);
    put_truth(out, record->success);
    end_record(out);
}

void trace_record_before(struct buffer *out, const struct trace_consume *record)
{
    put_name(out, "SubBefore");
    put_number(out, record->unix_ms);
    put_text(out, record->region);
    put_text(out, record->group);
    put_text(out, record->request_id);
    put_text(out, record->message_id);
    put_number(out, record->retry_times);
    put_text(out, record->keys);
    end_record(out);
}

void trace_record_after(struct buffer *out, const struct trace_consume *record)
{
    put_name(out, "SubAfter");
    put_text(out, record->request_id);
    put_text(out, record->message_id);
    put_number(out, record->cost_ms);
    put_truth(out, record->success);
    put_text(out, record->keys);
    put_number(out, record->outcome);
    put_number(out, record->unix_ms);
    put_text(out, record->group);
    end_record(out);
}

void trace_record_end(struct buffer *out, const struct trace_end *record)
{
    put_name(out, "EndTransaction");
    put_number(out, record->unix_ms);
    put_text(out, record->region);
    put_text(out, record->group);
    put_text(out, record->topic);
    put_text(out, record->message_id);
    put_text(out, record->tags);
    put_text(out, record->keys);
    put_text(out, record->broker_address);
    put_number(out, TRACE_COMMIT);
    put_text(out, record->transaction_id);
    put_name(out, record->state);
    put_truth(out, record->from_check);
    end_record(out);
}
