/* What the instance knows of topics and brokers: one route a topic, with the queues to send to and
 * to consume from already worked out, and the addresses of every broker. Readers get counted,
 * immutable snapshots; nothing here touches the network. */
#ifndef CLIENT_ROUTE_TABLE_H
#define CLIENT_ROUTE_TABLE_H

#include <mqclient/message.h>

#include "lib/base/intern.h"
#include "lib/net/address.h"
#include "lib/protocol/bodies.h"
#include "lib/protocol/topic_route.h"

/* A topic's queues, by broker name and id in Java's order. Strings are interned for the table's
 * life. */
struct topic_queues {
    struct reference references;
    struct topic_route *route;
    bool from_default_topic; /* made after TBW102: the topic does not exist yet */
    size_t publish_count;    /* brokers with a master, permission to write */
    mqc_message_queue *publish;
    size_t subscribe_count; /* permission to read; slaves serve, too */
    mqc_message_queue *subscribe;
};
struct topic_queues *topic_queues_ref(struct topic_queues *queues);
void topic_queues_unref(struct topic_queues *queues); /* NULL is fine */

/* A broker as the route that was stored last describes it. */
struct known_broker {
    struct topic_route *route; /* counted: owns the data */
    const struct broker_data *data;
    uint64_t news;   /* see route_table_broker_news */
    uint64_t silent; /* a number of the same row: when it did not answer */
};

struct route_table {
    struct lock lock;     /* guards the maps */
    struct map topics;    /* name → struct topic_queues, or a placeholder without route */
    struct map brokers;   /* name → struct known_broker */
    uint64_t news;        /* of brokers; see route_table_broker_news */
    struct intern *names; /* borrowed: outlives the table */
};

void route_table_init(struct route_table *table, struct intern *names);
void route_table_done(struct route_table *table);

/* Remembers that somebody uses the topic, so that its route is kept fresh. */
mqc_status route_table_want(struct route_table *table, const char *topic, mqc_error *error);
mqc_status route_table_topics(struct route_table *table, struct name_list *out, mqc_error *error);

/* A snapshot, counted up; NULL when no route is known. */
struct topic_queues *route_table_get(struct route_table *table, const char *topic);

/* Stores a route that was looked up (taken over by reference). With max_queues > 0 it is the
 * default topic's route, to be used for `topic` with at most so many queues a broker. */
mqc_status route_table_put(struct route_table *table, const char *topic, struct topic_route *route,
                           int max_queues, bool *changed, mqc_error *error);

/* Forgets brokers that no route names any more. */
void route_table_clean_brokers(struct route_table *table);

/* The name of the broker that has a queue: its own broker_name, but for queues of static topics,
 * whose name stands for whoever has them now (getBrokerNameFromMessageQueue). NULL: nobody known.
 */
const char *route_table_host(struct route_table *table, const char *topic, const char *broker_name,
                             int32_t queue_id);

/* Addresses; false when there is none. A broker_name may be NULL: there is none then. */
bool route_table_master(struct route_table *table, const char *broker_name,
                        char out[ADDRESS_TEXT_BYTES]);
/* As MQClientInstance.findBrokerAddressInSubscribe: the broker with this id, else, for a slave's,
 * the next one, else another one. */
bool route_table_readable(struct route_table *table, const char *broker_name, int64_t broker_id,
                          char out[ADDRESS_TEXT_BYTES], bool *is_slave);
/* The id of the broker to try when the one with this id does not answer: the next one, after the
 * last the first; the same when there is no other. */
int64_t route_table_other_id(struct route_table *table, const char *broker_name, int64_t broker_id);
/* Some broker of the topic, its master if possible, for questions that any of them can answer; or
 * the one that has answered for longest: one that has just started knows few members of groups. */
bool route_table_any_of_topic(struct route_table *table, const char *topic, bool steadiest,
                              char out[ADDRESS_TEXT_BYTES]);
/* All addresses (or the masters' alone). */
mqc_status route_table_addresses(struct route_table *table, bool masters_only,
                                 struct name_list *out, mqc_error *error);

/* A connection to this address has opened: who is there may have forgotten what it was told. */
void route_table_broker_opened(struct route_table *table, const char *address);
/* Who is at this address did not answer a question that others can answer, too. */
void route_table_broker_silent(struct route_table *table, const char *address);
/* Another number each time that a connection to the broker or one of its slaves has opened, or
 * their addresses have changed: what they have been told is to be told again. 0: unknown. */
uint64_t route_table_broker_news(struct route_table *table, const char *broker_name);

/* What an address or queue list in error texts and logs needs: the broker that has this address, or
 * NULL (interned). */
const char *route_table_broker_at(struct route_table *table, const char *address);

#endif
