/* Carries a trace from who sends to who consumes, as OpenTelemetry does: the W3C trace context in
 * the property "traceparent". Hooks do it, so that no send and no listener needs to know. Where
 * this prints, a tracer of yours begins a span; its ends are in `after`. */
#include <mqclient/mqclient.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

struct span {
    char trace[33], id[17];
};
static sem_t done;

static struct span span_begin(const char *what, const struct span *parent)
{
    struct span span;
    unsigned a = (unsigned)random(), b = (unsigned)random();
    snprintf(span.id, sizeof span.id, "%08x%08x", a, b);
    snprintf(span.trace, sizeof span.trace, "%016llx%s", (unsigned long long)a * b + 1, span.id);
    if (parent) snprintf(span.trace, sizeof span.trace, "%s", parent->trace);
    printf("%s: trace %s span %s of %s\n", what, span.trace, span.id, parent ? parent->id : "none");
    return span;
}

/* Before each send: a span of its own, whose name goes with the message. */
static mqc_status inject(mqc_send_event *event, void *arg, mqc_error *error)
{
    char traceparent[64];
    (void)arg;
    struct span span = span_begin("send", NULL); /* or of what this thread works for */
    snprintf(traceparent, sizeof traceparent, "00-%s-%s-01", span.trace, span.id);
    return mqc_send_event_set_property(event, "traceparent", traceparent, error);
}

/* Before each listener call, on its thread. */
static void extract(mqc_consume_event *event, void *arg)
{
    struct span sender;
    const mqc_message *message = mqc_delivery_at(event->delivery, 0);
    const char *value = mqc_message_property(message, "traceparent");
    (void)arg;
    bool traced =
        value && sscanf(value, "00-%32[0-9a-f]-%16[0-9a-f]-", sender.trace, sender.id) == 2;
    span_begin("consume", traced ? &sender : NULL);
}

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)delivery, (void)arg;
    return sem_post(&done) ? MQC_RECONSUME_LATER : MQC_CONSUME_SUCCESS;
}

int main(int argc, char **argv)
{
    static const mqc_send_hook on_send = {.before = inject};
    static const mqc_consume_hook on_consume = {.before = extract};
    mqc_error error = {.text = "out of memory"};
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_producer_options sends = {
        .client = &client, .group = "traced", .send_hooks = &on_send, .send_hook_count = 1};
    const mqc_push_consumer_options takes = {.client = &client,
                                             .group = "tracers",
                                             .listener = take,
                                             .from = MQC_FROM_FIRST,
                                             .consume_hooks = &on_consume,
                                             .consume_hook_count = 1};
    mqc_producer *producer = mqc_producer_new(&sends, &error);
    mqc_push_consumer *consumer = mqc_push_consumer_new(&takes, &error);
    mqc_message *message = mqc_message_new("traced", "hello", 5);
    int code = !producer || !consumer || !message || mqc_producer_start(producer, &error) ||
               mqc_producer_send(producer, message, NULL, NULL, &error) ||
               mqc_push_consumer_subscribe(consumer, "traced", "*", &error) ||
               mqc_push_consumer_start(consumer, &error) || sem_wait(&done);
    if (code) fprintf(stderr, "%s\n", error.text);
    mqc_message_free(message);
    mqc_push_consumer_free(consumer);
    mqc_producer_free(producer);
    return code;
}
