/* What the files of mqc doctor share: findings as they are printed, and probes of the network that
 * do without the library. Main thread. */
#ifndef TOOLS_DOCTOR_H
#define TOOLS_DOCTOR_H

#include "tools/admin_command.h"

enum { DOCTOR_TEXT_BYTES = 1024 };

enum finding_kind { FINDING_OK, FINDING_NOTE, FINDING_WARNING, FINDING_FAILED };

struct doctor {
    struct admin_command command; /* its admin handle is NULL until the name servers are known */
    const char *topic, *probe;
    int failed, warned;
    int write_error; /* errno of a failed write */
};

/* Prints what a step has found, and for a warning or failure what to do (NULL: nothing). */
void doctor_report(struct doctor *doctor, enum finding_kind kind, const char *step,
                   const char *target, const char *advice, const char *found, ...) MQC_PRINTF(6, 7);

/* ---- the network: doctor_net.c ---- */

/* Splits "host:port" or "[::1]:port"; false when it is neither. */
bool split_address(const char *address, char *host, size_t size, char port[8]);

/* The host's addresses, ", " between them; false with the resolver's words. */
bool resolve_host(const char *host, char *found, size_t size);

/* Connects, at most timeout_ms for each address of the host; -1 with what was wrong, else the
 * socket. *ms is how long it took. */
int connect_to(const char *address, int timeout_ms, int *ms, char *wrong, size_t size);

/* Shakes hands over TLS without trusting or distrusting anybody: what the server has shown. false
 * when it does not speak TLS. */
bool look_at_tls(const char *address, int timeout_ms, char *found, size_t size);

/* The host is one that only its own machine reaches. */
bool is_loopback(const char *host);

/* ---- steps: doctor_steps.c; each returns whether the next may be taken ---- */

bool doctor_name_servers(struct doctor *doctor);
bool doctor_brokers(struct doctor *doctor);
bool doctor_topic(struct doctor *doctor, const char *topic);
bool doctor_probe(struct doctor *doctor);

#endif
