/* The list of name servers and which one is in use: shuffled once, kept while it answers, the next
 * one on failure. The list comes from the options, or from an HTTP endpoint that is asked again
 * every two minutes (MQClientAPIImpl.fetchNameServerAddr,
 * NettyRemotingClient.updateNameServerAddressList). */
#ifndef CLIENT_NAME_SERVERS_H
#define CLIENT_NAME_SERVERS_H

#include "lib/base/lock.h"
#include "lib/net/address.h"

enum { NAME_SERVERS_MOST = 32 };

struct name_servers {
    struct lock lock; /* guards everything below */
    size_t count;
    size_t chosen;
    char addresses[NAME_SERVERS_MOST][ADDRESS_TEXT_BYTES];
    bool failing[NAME_SERVERS_MOST]; /* has failed since it last answered */
};

void name_servers_init(struct name_servers *servers);
void name_servers_done(struct name_servers *servers);

/* Replaces the list by "a:1;b:2" (an "http://" in front is cut off, as in Java). An empty or wrong
 * list is refused and the old one kept. *changed (may be NULL) says whether it differs as a set. */
mqc_status name_servers_set(struct name_servers *servers, const char *list, bool *changed,
                            mqc_error *error);

/* The address in use; false when the list is empty. */
bool name_servers_chosen(struct name_servers *servers, char out[ADDRESS_TEXT_BYTES]);
size_t name_servers_count(struct name_servers *servers);
bool name_servers_contain(struct name_servers *servers, const char *address);

/* Goes on to the next one, if `failed` is still the chosen one. True when it had answered before,
 * or was never asked: when its failure is news. */
bool name_servers_failed(struct name_servers *servers, const char *failed);
void name_servers_answered(struct name_servers *servers, const char *address);

/* The list as "a:1;b:2". */
void name_servers_format(struct name_servers *servers, char *out, size_t bytes);

/* The URL that Java would ask for a domain: http://<domain>:8080/rocketmq/nsaddr, with the unit
 * name appended as "-<unit>?nofix=1"; a domain that is a URL already is taken as it is. */
void name_servers_url(const char *domain, const char *unit_name, char *out, size_t bytes);

/* Fetches the list over HTTP: the first line of the answer. Blocks at most timeout_ms. */
mqc_status name_servers_fetch(struct name_servers *servers, const char *url, int timeout_ms,
                              bool *changed, mqc_error *error);
/* The same from an answer that is there. */
mqc_status name_servers_read(struct name_servers *servers, struct slice answer, bool *changed,
                             mqc_error *error);

#endif
