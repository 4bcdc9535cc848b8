/* Options that every role (producer, consumer, admin) shares: where the cluster is and how to talk
 * to it. Roles with the same client options share one client instance: one set of connections,
 * routes, timers and threads. Zero always means the default; -1 means "none" where that makes
 * sense. */
#ifndef MQCLIENT_CLIENT_H
#define MQCLIENT_CLIENT_H

#include <mqclient/api.h>
#include <mqclient/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* TLS 1.2 or newer to name servers and brokers. By default the peer's chain and its host name or
 * IP address are checked against `ca_file` or, without one, the system's trust store. Each of the
 * files may be given as its text instead: what begins with "-----BEGIN" is PEM itself, not a path.
 * A file that is replaced later is read again before the next connection is made; until it can be
 * read the former one stays in use. */
typedef struct mqc_tls_options {
    bool enabled;
    const char *ca_file;          /* PEM: the authorities to trust */
    const char *certificate_file; /* PEM: the client's chain, when the server asks for one */
    const char *key_file;         /* PEM: its private key */
    const char *key_password;     /* of an encrypted key */
    const char *server_name; /* name to expect (and to send as SNI) instead of the address's host */
    bool skip_verify;        /* trust anybody: tests only; logged loudly */
} mqc_tls_options;

/* Where to reach a broker that says it is at `advertised` ("host:port"): writes "host:port" of at
 * most out_bytes with its zero to `out` and returns true, or returns false to leave it. broker_id
 * is 0 for a master. Called whenever a route is looked up, on any thread, also of the library,
 * perhaps on several at once: it must be quick, and must not call back into the library. */
typedef bool mqc_map_address(const char *broker_name, int64_t broker_id, const char *advertised,
                             char *out, size_t out_bytes, void *arg);

/* ACL keys, as texts that end with a zero byte. */
typedef struct mqc_credentials {
    char access_key[128];
    char secret_key[256];
    char security_token[4096]; /* of temporary keys; empty: none */
} mqc_credentials;

/* Writes the keys of now to `credentials`, which is all zero before and wiped after, and returns
 * true; with false the request at hand fails with MQC_NOT_FOUND. Called for every request before it
 * is signed, on any thread, also of the library, perhaps on several at once: it must be quick, and
 * must not call back into the library. */
typedef bool mqc_get_credentials(mqc_credentials *credentials, void *arg);

struct mqc_stats; /* statistics.h */

/* All strings are copied by the `_new` call that is given them. As all option structs of functions
 * with a `_sized` twin it may grow at its end: a program that was built with an older header goes
 * on to work. */
typedef struct mqc_client_options {
    const char
        *name_servers; /* "host:port;host:port"; default: $NAMESRV_ADDR, else name_server_domain */
    const char
        *name_server_domain; /* host[:port] or URL of the HTTP endpoint that lists name servers */
    const char *
        instance_name; /* clients that name the same instance share it; default: by equal options */
    const char *unit_name;  /* appended to the client id, as in the Java client */
    const char *client_ip;  /* address shown to brokers; default: this host's */
    const char *access_key; /* ACL: both or neither */
    const char *secret_key;
    const char *security_token; /* with temporary credentials */
    mqc_tls_options tls;
    int route_refresh_ms;   /* default 30000 */
    int heartbeat_ms;       /* default 30000 */
    int persist_offsets_ms; /* default 5000 */
    int connect_timeout_ms; /* default 3000 */
    int request_timeout_ms; /* one request that has no timeout of its own; default 3000 */
    int idle_close_ms;      /* close a connection with no traffic; default 120000 */
    int callback_threads;   /* threads for asynchronous results and brokers' requests; default 2 */
    int stats_interval_ms;  /* default 10000 */
    bool trace;       /* records of what is sent and consumed, for RocketMQ's console and mqadmin */
    bool unit_mode;   /* marks sends and heartbeats, with unit_name, as the Java client does */
    bool vip_channel; /* send to the brokers' port less two, which is for sends alone */
    /* Brokers in containers or behind NAT advertise addresses that lead nowhere from here. The
     * function comes first, then the table; without either addresses are used as they are. */
    const char *address_map; /* "advertised=used;…", each host or host:port */
    mqc_map_address *map_address;
    void *map_address_arg;
    const char *name_space; /* put in front of topics and groups on the wire: "ns%topic"; everything
                               here, messages and results too, has the names without it */
    const char *name_space_v2; /* sent beside the names, to servers of 5.x that know it */
    const struct mqc_rpc_hook *rpc_hooks; /* see every request: hooks.h; not copied */
    size_t rpc_hook_count;
    const char *trace_topic; /* where traces go; default RMQ_SYS_TRACE_TOPIC */
    /* Gets what the client has counted and measured at every interval: mqc_stats_listener in
     * statistics.h. */
    void (*stats_listener)(const char *json, struct mqc_stats *stats, void *arg);
    void *stats_listener_arg;
    /* PEM: lists of revoked certificates (CRL); with it each server's certificate must have a list
     * of its authority there, and not be on it. Needs tls. */
    const char *tls_crl_file;
    mqc_get_credentials *get_credentials; /* instead of access_key: keys that change */
    void *get_credentials_arg;
} mqc_client_options;

#ifdef __cplusplus
}
#endif
#endif
