/* The steps of mqc doctor in the order of a message's way. Main thread. */
#include "tools/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONNECT_MS = 3000 };

static int connect_timeout(const struct doctor *doctor)
{
    int ms = doctor->command.client.connect_timeout_ms;
    return ms > 0 ? ms : CONNECT_MS;
}

/* ---- one server: name, TCP, TLS ---- */

static bool check_name(struct doctor *doctor, const char *step, const char *address)
{
    char host[256], port[8], found[DOCTOR_TEXT_BYTES / 2];
    if (!split_address(address, host, sizeof host, port)) return true;
    if (!resolve_host(host, found, sizeof found)) {
        doctor_report(doctor, FINDING_FAILED, step, address,
                      "check the spelling, /etc/hosts and the name service, or give an IP address",
                      "the name cannot be resolved: %s", found);
        return false;
    }
    if (strcmp(host, found) != 0)
        doctor_report(doctor, FINDING_OK, step, address, NULL, "resolves to %s", found);
    return true;
}

static bool check_tcp(struct doctor *doctor, const char *step, const char *address,
                      const char *advice)
{
    char wrong[DOCTOR_TEXT_BYTES / 2];
    int ms, fd = connect_to(address, connect_timeout(doctor), &ms, wrong, sizeof wrong);
    if (fd < 0) {
        doctor_report(doctor, FINDING_FAILED, step, address, advice, "no TCP connection: %s",
                      wrong);
        return false;
    }
    close(fd);
    doctor_report(doctor, FINDING_OK, step, address, NULL, "TCP connects in %d ms", ms);
    return true;
}

static bool check_tls(struct doctor *doctor, const char *step, const char *address)
{
    char found[DOCTOR_TEXT_BYTES / 2];
    if (!doctor->command.client.tls.enabled) return true;
    if (!look_at_tls(address, connect_timeout(doctor), found, sizeof found)) {
        doctor_report(doctor, FINDING_FAILED, step, address,
                      "leave --tls out, or configure TLS at the server (tls.server.mode)",
                      "TLS is asked for, but the server does not speak it (%s)", found);
        return false;
    }
    doctor_report(doctor, FINDING_OK, step, address, NULL, "speaks %s", found);
    return true;
}

/* What to do about a request that failed where TCP works. */
static const char *advice_on(struct doctor *doctor, const char *address, const mqc_error *error)
{
    char found[DOCTOR_TEXT_BYTES / 2];
    if (error->status == MQC_TLS)
        return "give the authority that has signed the server's certificate (--tls-ca), the name "
               "in "
               "it (--tls-server-name), or this client's own certificate (--tls-cert, --tls-key)";
    if (error->status == MQC_REFUSED) {
        if (strcasestr(error->text, "signature"))
            return "the secret is not the one the broker knows for this access key: --secret-key";
        if (strcasestr(error->text, "not found") || strcasestr(error->text, "No acl config"))
            return "the broker knows no such user: check --access-key, or create the user";
        if (strcasestr(error->text, "cannot be null") || strcasestr(error->text, "No accessKey"))
            return "the broker asks for signed requests: give --access-key and --secret-key";
        return "the server refuses in its own words; its log says more";
    }
    if (!doctor->command.client.tls.enabled &&
        look_at_tls(address, connect_timeout(doctor), found, sizeof found))
        return "the server speaks TLS and seems to insist on it: give --tls and --tls-ca";
    return "something listens there that does not answer RocketMQ's protocol in time: is it the "
           "right port (name server 9876, broker 10911), and is the server healthy?";
}

/* ---- name servers ---- */

static bool answers(struct doctor *doctor, const char *address)
{
    const mqc_settings *settings;
    mqc_error error;
    mqc_status status =
        mqc_admin_name_server_config(doctor->command.admin, address, &settings, &error);
    /* Whatever it says of its settings, it speaks the protocol. */
    if (status && status != MQC_REFUSED) {
        doctor_report(doctor, FINDING_FAILED, "name server", address,
                      advice_on(doctor, address, &error), "%s", error.text);
        return false;
    }
    if (!status) mqc_admin_result_free(settings);
    doctor_report(doctor, FINDING_OK, "name server", address, NULL, "answers");
    return true;
}

bool doctor_name_servers(struct doctor *doctor)
{
    const mqc_name_list *servers;
    mqc_error error;
    size_t good = 0;
    doctor->command.admin = mqc_admin_new(&doctor->command.client, &error);
    if (!doctor->command.admin ||
        mqc_admin_name_servers(doctor->command.admin, &servers, &error) != MQC_OK) {
        doctor_report(doctor, FINDING_FAILED, "options", "",
                      "give -n HOST:PORT or set NAMESRV_ADDR; \"mqc options\" lists all options",
                      "%s", error.text);
        return false;
    }
    for (size_t i = 0; i < servers->count; i++) {
        const char *address = servers->names[i];
        good += check_name(doctor, "name server", address) &&
                check_tcp(doctor, "name server", address,
                          "is the name server running there, and does a firewall or a container's "
                          "port mapping let it through?") &&
                check_tls(doctor, "name server", address) && answers(doctor, address);
    }
    if (good > 0 && good < servers->count)
        doctor_report(doctor, FINDING_NOTE, "name servers", "", NULL,
                      "%zu of %zu will do: clients go on to the next one", good, servers->count);
    mqc_admin_result_free(servers);
    return good > 0;
}

/* ---- brokers ---- */

/* Why an address that the name server has told may lead nowhere. */
static const char *advice_on_address(const char *address)
{
    char host[256], port[8];
    if (split_address(address, host, sizeof host, port) && is_loopback(host))
        return "the broker advertises an address that only its own machine reaches: set brokerIP1 "
               "in its configuration, or map the address (-X brokerAddressMap=advertised=used)";
    return "the broker advertises this address: if it is not reachable from here (container, NAT, "
           "VPN), set brokerIP1 in its configuration or map the address (-X "
           "brokerAddressMap=advertised=used); else see whether the broker runs and what a "
           "firewall "
           "says";
}

static bool may_ask(struct doctor *doctor, const mqc_broker *broker, const char *target)
{
    const mqc_broker_status *status;
    mqc_error error;
    if (mqc_admin_broker_status(doctor->command.admin, broker->address, &status, &error) ==
        MQC_OK) {
        doctor_report(doctor, status->active ? FINDING_OK : FINDING_WARNING, "broker", target,
                      status->active ? NULL
                                     : "it waits for its controller or for its turn as master",
                      "answers: %s, %.0f%% of its disk used%s", status->version,
                      status->disk_ratio < 0 ? 0 : 100 * status->disk_ratio,
                      status->active ? "" : ", not active");
        bool full = status->disk_ratio > 0.9;
        if (full)
            doctor_report(doctor, FINDING_WARNING, "broker", target,
                          "brokers refuse messages when the disk is full: free space",
                          "its disk is nearly full");
        mqc_admin_result_free(status);
        return true;
    }
    bool signed_in = error.status == MQC_REFUSED && error.broker_code == 16 &&
                     !strcasestr(error.text, "signature") && !strcasestr(error.text, "not found") &&
                     !strcasestr(error.text, "cannot be null");
    if (signed_in) {
        doctor_report(doctor, FINDING_NOTE, "broker", target, NULL,
                      "answers; this user may not ask for its figures: %s", error.text);
        return true;
    }
    doctor_report(doctor, FINDING_FAILED, "broker", target,
                  advice_on(doctor, broker->address, &error), "%s", error.text);
    return false;
}

static bool check_broker(struct doctor *doctor, const mqc_broker *broker)
{
    char target[600];
    snprintf(target, sizeof target, "%s %s", broker->broker_name, broker->address);
    return check_name(doctor, "broker", broker->address) &&
           check_tcp(doctor, "broker", broker->address, advice_on_address(broker->address)) &&
           check_tls(doctor, "broker", broker->address) && may_ask(doctor, broker, target);
}

bool doctor_brokers(struct doctor *doctor)
{
    const mqc_brokers *brokers;
    mqc_error error;
    size_t good = 0;
    if (mqc_admin_brokers(doctor->command.admin, NULL, &brokers, &error) != MQC_OK) {
        doctor_report(doctor, FINDING_FAILED, "brokers", "", advice_on(doctor, "", &error), "%s",
                      error.text);
        return false;
    }
    if (brokers->count == 0)
        doctor_report(
            doctor, FINDING_FAILED, "brokers", "",
            "start a broker with this name server (namesrvAddr); one that is running says "
            "in its log why it does not register",
            "the name server knows no broker");
    for (size_t i = 0; i < brokers->count; i++) good += check_broker(doctor, brokers->brokers[i]);
    mqc_admin_result_free(brokers);
    return good > 0;
}

/* ---- a topic ---- */

struct route {
    struct doctor *doctor;
    const char *topic;
    int writable, readable;
};

static bool add_route(const mqc_topic_route_entry *entry, void *arg)
{
    struct route *route = arg;
    bool write = entry->permission & MQC_PERMISSION_WRITE && entry->write_queues > 0;
    bool read = entry->permission & MQC_PERMISSION_READ && entry->read_queues > 0;
    route->writable += write && entry->master_address;
    route->readable += read;
    doctor_report(route->doctor, FINDING_OK, "topic", route->topic, NULL,
                  "%s: %d queues to read, %d to write, %s%s%s%s", entry->broker_name,
                  entry->read_queues, entry->write_queues, read ? "readable" : "not readable",
                  write ? ", writable, " : ", not writable, ",
                  entry->master_address ? "master " : "no master",
                  entry->master_address ? entry->master_address : "");
    return true;
}

bool doctor_topic(struct doctor *doctor, const char *topic)
{
    mqc_error error;
    struct route route = {.doctor = doctor, .topic = topic};
    mqc_status status =
        mqc_admin_each_route(doctor->command.admin, topic, add_route, &route, &error);
    if (status) {
        doctor_report(
            doctor, FINDING_FAILED, "topic", topic,
            "create it: mqc topic create -t TOPIC; a broker creates topics by itself only "
            "with autoCreateTopicEnable",
            "%s", error.text);
        return false;
    }
    if (route.writable == 0)
        doctor_report(doctor, FINDING_FAILED, "topic", topic,
                      "mqc topic update --permission read+write, or mqc broker writable; a broker "
                      "without a master takes no messages",
                      "nobody takes messages for it");
    if (route.readable == 0)
        doctor_report(doctor, FINDING_FAILED, "topic", topic,
                      "mqc topic update --permission read+write", "nobody gives messages of it");
    return route.writable > 0;
}

/* ---- the probe ---- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The name of the broker that has it is copied: the producer's names end with the producer. */
static bool send_probe(struct doctor *doctor, mqc_send_result *result, char broker_name[256])
{
    static const char BODY[] = "a probe of mqc doctor";
    mqc_error error;
    mqc_producer_options options = {.client = &doctor->command.client, .group = "mqc_doctor"};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_message *message = mqc_message_new(doctor->probe, BODY, sizeof BODY - 1);
    int64_t began = now_ms();
    bool sent = producer && message && mqc_producer_start(producer, &error) == MQC_OK &&
                mqc_producer_send(producer, message, NULL, result, &error) == MQC_OK;
    if (sent) snprintf(broker_name, 256, "%s", result->queue.broker_name);
    if (sent)
        doctor_report(doctor, FINDING_OK, "send", doctor->probe, NULL,
                      "stored at %s, queue %d, offset %lld, in %d ms", result->queue.broker_name,
                      result->queue.queue_id, (long long)result->queue_offset,
                      (int)(now_ms() - began));
    else
        doctor_report(
            doctor, FINDING_FAILED, "send", doctor->probe,
            error.status == MQC_REFUSED
                ? "the broker refuses: check permissions (mqc topic config, ACL) and its log"
                : "see the steps before this one, and the broker's log",
            "%s", error.text);
    mqc_message_free(message);
    mqc_producer_free(producer);
    return sent;
}

struct reading {
    const char *id;
    bool found;
};

static bool find_probe(const mqc_message *message, void *arg)
{
    struct reading *reading = arg;
    const char *id = mqc_message_id(message);
    reading->found = id && strcmp(id, reading->id) == 0;
    return !reading->found;
}

/* Through the queue, as consumers read, but in nobody's name: no group's offsets change. A broker
 * puts a message into its queue a moment after it was acknowledged. */
bool doctor_probe(struct doctor *doctor)
{
    mqc_send_result sent;
    mqc_error error;
    mqc_status status;
    char broker_name[256];
    if (!send_probe(doctor, &sent, broker_name)) return false;
    struct reading reading = {.id = sent.message_id};
    mqc_message_range range = {.topic = doctor->probe,
                               .broker_name = broker_name,
                               .one_queue = true,
                               .queue_id = sent.queue.queue_id,
                               .begin_offset = sent.queue_offset};
    int64_t began = now_ms();
    do {
        status =
            mqc_admin_each_message(doctor->command.admin, &range, find_probe, &reading, &error);
    } while (!status && !reading.found && now_ms() - began < connect_timeout(doctor));
    if (reading.found) {
        doctor_report(doctor, FINDING_OK, "read", doctor->probe, NULL, "it came back after %d ms",
                      (int)(now_ms() - began));
        return true;
    }
    if (!status) snprintf(error.text, sizeof error.text, "it is not in its queue");
    doctor_report(doctor, FINDING_FAILED, "read", doctor->probe,
                  "the broker has acknowledged it: check the permission to read (mqc topic config, "
                  "ACL) and the broker's log",
                  "%s", error.text);
    return false;
}
