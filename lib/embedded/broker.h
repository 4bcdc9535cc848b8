/* Brokers: what a master and its slaves share, and each one's endpoint. A slave of the embedded
 * cluster sees its master's store at once, as if replication took no time. */
#ifndef EMBEDDED_BROKER_H
#define EMBEDDED_BROKER_H

#include "lib/embedded/broker_settings.h"
#include "lib/embedded/clients.h"
#include "lib/embedded/connection.h"
#include "lib/embedded/groups.h"
#include "lib/embedded/locks.h"
#include "lib/embedded/message_store.h"
#include "lib/embedded/pop_state.h"
#include "lib/embedded/timers.h"

enum { BROKER_NAME_BYTES = 16 };

/* Shared by all brokers of one name. */
struct broker_data {
    struct link in_cluster;
    struct mqc_embedded *cluster;
    char name[BROKER_NAME_BYTES];
    struct message_store store;
    struct groups groups;
    struct locks locks;
    struct link scheduled; /* struct scheduled (delay.h): delayed and timer messages */
    struct link halves;    /* struct half (transactions.c): open transactions */
    struct pop_state pop;
    struct map request_modes; /* of groups (assignment_handler.c) */
    struct broker_settings settings;
};

struct broker {
    struct mqc_embedded *cluster;
    struct broker_data *data;
    int64_t broker_id; /* 0: master */
    char address[ADDRESS_TEXT_BYTES];
    struct host host; /* the same in a message's form */
    struct listener listener;
    struct clients clients;
    bool up;
    bool in_route;
};

/* A master (data NULL: with a store of its own) or a slave of `data`, not yet up; belongs to the
 * cluster. NULL: no memory. */
struct broker *broker_new(struct mqc_embedded *cluster, struct broker_data *data, mqc_error *error);
void broker_free(struct broker *broker);
void broker_data_free(struct broker_data *data);

/* Listens (on `port` the first time, later on the same) and registers. */
mqc_status broker_bring_up(struct broker *broker, uint16_t port, mqc_error *error);
void broker_take_down(struct broker *broker, bool keep_route, bool lose_data);

/* The master that can store for this broker, itself or its master; NULL when that is down. */
struct broker *broker_master(const struct broker *broker);

/* The topic, made after `default_topic` as a first send does (TBW102); NULL when there is none
 * and none may be made. */
struct topic *broker_topic_for_send(struct broker *broker, struct slice name,
                                    struct slice default_topic, int32_t queues);
/* Found, or made for reading and writing: retry and dead letter topics. NULL: no memory. */
struct topic *broker_topic_for_retry(struct broker_data *data, struct slice name, int32_t queues);

/* NULL, or what is wrong with a topic's name (TopicValidator.validateTopic). */
const char *broker_topic_name_fault(struct slice name, char *text, size_t text_bytes);

/* Stores a message in a queue of a topic now and tells who waits. NULL: no memory. */
struct record *broker_store(struct broker_data *data, struct topic *topic,
                            struct mqc_message *message);

/* As a broker takes a new message in: delayed and timer messages wait first (HookUtils.java).
 * `reason` (may be NULL) gets what is wrong when the result is NULL. */
struct record *broker_put(struct broker_data *data, struct topic *topic,
                          struct mqc_message *message, const char **reason);

#endif
