/* The cluster of a chaos run, and what can be done to it: one in this process, or a real one that
 * test/broker/cluster has started. The driver's thread. */
#ifndef CHAOS_CLUSTER_H
#define CHAOS_CLUSTER_H

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

struct cluster;

/* `real`: the name of a cluster of test/broker/cluster; NULL: an embedded one, whose clock goes
 * `speed` times as fast as time. */
struct cluster *cluster_new(const char *real, int brokers, int speed);
void cluster_free(struct cluster *cluster);
const char *cluster_servers(const struct cluster *cluster);

/* Begins a fault that `random` chooses and tells the journal. */
void cluster_break(struct cluster *cluster, unsigned random);
/* Begins its end. */
void cluster_heal(struct cluster *cluster);
bool cluster_broken(const struct cluster *cluster);
/* Often: lets the clock go on and completes what takes its time. */
void cluster_tick(struct cluster *cluster);
/* A child of ours has ended that is no member: perhaps a script. */
void cluster_child_ended(struct cluster *cluster, int pid, int status);

#endif
