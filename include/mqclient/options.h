/* Options by name, as property files, environments and command lines have them: the names that
 * RocketMQ users know (namesrvAddr, sendMsgTimeout, consumeThreadMax, …), listed in
 * docs/options.md. A bag of named settings is filled from any of those and then poured into option
 * structs. */
#ifndef MQCLIENT_OPTIONS_H
#define MQCLIENT_OPTIONS_H

#include <mqclient/consumer.h>
#include <mqclient/lite_consumer.h>
#include <mqclient/producer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mqc_options mqc_options;

/* An empty bag; NULL when out of memory. Not for use by several threads at once. */
MQC_API mqc_options *mqc_options_new(void);
MQC_API void mqc_options_free(mqc_options *options);

/* Sets one option. MQC_BAD_ARGUMENT for an unknown name (the nearest one is suggested) or a value
 * of the wrong form or out of range (the error says what is allowed). Strings are copied. */
MQC_API mqc_status mqc_options_set(mqc_options *options, const char *name, const char *value,
                                   mqc_error *error);

/* Reads "name = value" lines; # and ! begin comments. The error names file and line. Of Java's
 * tls.properties (-Dtls.config.file) the names tls.client.… are understood, too. */
MQC_API mqc_status mqc_options_read_file(mqc_options *options, const char *path, mqc_error *error);

/* Pours the options that apply into a struct, leaving its other fields. The strings belong to the
 * bag and must outlive the `_new` call that the struct is for. Call them without _sized. */
MQC_API void mqc_options_to_client_sized(const mqc_options *options, mqc_client_options *client,
                                         size_t size);
MQC_API void mqc_options_to_producer_sized(const mqc_options *options,
                                           mqc_producer_options *producer, size_t size);
MQC_API void mqc_options_to_push_consumer_sized(const mqc_options *options,
                                                mqc_push_consumer_options *consumer, size_t size);
MQC_API void mqc_options_to_lite_consumer_sized(const mqc_options *options,
                                                mqc_lite_consumer_options *consumer, size_t size);
static inline void mqc_options_to_client(const mqc_options *options, mqc_client_options *client)
{
    mqc_options_to_client_sized(options, client, sizeof(mqc_client_options));
}
static inline void mqc_options_to_producer(const mqc_options *options,
                                           mqc_producer_options *producer)
{
    mqc_options_to_producer_sized(options, producer, sizeof(mqc_producer_options));
}
static inline void mqc_options_to_push_consumer(const mqc_options *options,
                                                mqc_push_consumer_options *consumer)
{
    mqc_options_to_push_consumer_sized(options, consumer, sizeof(mqc_push_consumer_options));
}
/* Also those of the push consumer that a lite consumer has, too. */
static inline void mqc_options_to_lite_consumer(const mqc_options *options,
                                                mqc_lite_consumer_options *consumer)
{
    mqc_options_to_lite_consumer_sized(options, consumer, sizeof(mqc_lite_consumer_options));
}

/* Visits every option there is, in the order of docs/options.md. */
typedef struct mqc_option_description {
    const char *name;
    const char *applies_to; /* "client", "producer", "push consumer", "lite consumer" */
    const char *type;       /* "text", "number", "yes/no", "choice" */
    const char *unit;       /* "ms", "bytes", …; "" when it has none */
    const char *range;      /* "1..600000"; "" when any */
    const char *fallback;   /* the default, for people */
    const char *help;
} mqc_option_description;
typedef bool mqc_option_visitor(const mqc_option_description *option, void *arg);
MQC_API void mqc_options_each(mqc_option_visitor *visit, void *arg);

#ifdef __cplusplus
}
#endif
#endif
