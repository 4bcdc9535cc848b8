/* A script of requests at an embedded cluster: frames go straight to its dispatcher, as if they had
 * come over connections. The input is a list of steps; each begins with a byte that says what it
 * is: up to 239    a request: code, connection, fields of known names, body 240 to 245   a frame of
 * raw bytes 246 to 248   an answer to one of the cluster's own requests 249 to 251   the clock
 * moves on 252, 253     a connection ends and is made anew 254, 255     a broker goes down, or
 * comes up Where the input ends, so does the script. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/request.h"
#include "lib/protocol/remoting_command.h"
#include "test/fuzz/fuzz.h"

enum {
    CONNECTIONS = 3,
    FIELDS_MOST = 24,
    STEPS_MOST = 64,
    CONSTANTS_FROM = 0xE0,
    CLOCK_UNIT_MS = 500
};

static const int32_t CODES[] = {
#define NAME_SERVER(code, function) REQUEST_##code,
#define BROKER(code, function)      REQUEST_##code,
#include "lib/embedded/handlers.def"
#undef NAME_SERVER
#undef BROKER
};
enum { CODE_COUNT = sizeof CODES / sizeof *CODES };

static const char *const FIELDS[] = {
#define HEADER_BEGIN(header)
#define REQUIRED(type, member, wire)         wire,
#define OPTIONAL(type, member, wire, absent) wire,
#define HEADER_END(header)
#include "lib/protocol/headers.def"
};
enum { FIELD_COUNT = sizeof FIELDS / sizeof *FIELDS };

/* Values that open doors which chance does not. */
static const char *const CONSTANTS[] = {"0",
                                        "1",
                                        "-1",
                                        "4",
                                        "32",
                                        "999",
                                        "g",
                                        "h",
                                        "orders",
                                        "%RETRY%g",
                                        "true",
                                        "c0",
                                        "TAG",
                                        "SQL92",
                                        "0 0 30000 0 0 broker-a 0 0",
                                        "TBW102",
                                        "*",
                                        "8",
                                        "30000",
                                        "DefaultCluster_REPLY_TOPIC",
                                        "p",
                                        "2",
                                        "12",
                                        "broker-a",
                                        "PGROUP\1p\2TRAN_MSG\1true\2",
                                        "a > 1",
                                        "16",
                                        "6",
                                        "SINGLE_TAG",
                                        "9223372036854775807",
                                        "TIMER_DELAY_SEC\0015\2UNIQ_KEY\1U\2",
                                        "REPLY_TO_CLIENT\1c0\2"};
enum { CONSTANT_COUNT = sizeof CONSTANTS / sizeof *CONSTANTS };

/* The input, and what the script works on. */
struct script {
    const uint8_t *at;
    size_t left;
    mqc_embedded *cluster;
    struct connection *connections[CONNECTIONS]; /* the last one to the name server */
    int peers[CONNECTIONS];
    int32_t opaque;
};

static uint8_t next_byte(struct script *script)
{
    if (script->left == 0) return 0;
    script->left--;
    return *script->at++;
}

static struct slice next_bytes(struct script *script, size_t size)
{
    if (size > script->left) size = script->left;
    struct slice bytes = slice_of(script->at, size);
    script->at += size;
    script->left -= size;
    return bytes;
}

static struct slice next_value(struct script *script)
{
    uint8_t kind = next_byte(script);
    if (kind >= CONSTANTS_FROM)
        return slice_text(CONSTANTS[(kind - CONSTANTS_FROM) % CONSTANT_COUNT]);
    return next_bytes(script, kind);
}

static uint32_t next_16(struct script *script)
{
    uint32_t high = next_byte(script);
    return high << 8 | next_byte(script);
}

/* Codes and names by what does not change when others are added, so that seeds stay what they are;
 * any number means something. */
static int32_t next_code(struct script *script)
{
    uint32_t number = next_16(script);
    for (size_t i = 0; i < CODE_COUNT; i++)
        if (((uint32_t)CODES[i] & 0xFFFF) == number) return CODES[i];
    return CODES[number % CODE_COUNT];
}

static struct slice next_name(struct script *script)
{
    uint32_t number = next_16(script);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        uint32_t hash = 0;
        for (const char *c = FIELDS[i]; *c; c++) hash = hash * 31 + (uint8_t)*c;
        if ((hash & 0xFFFF) == number) return slice_text(FIELDS[i]);
    }
    return slice_text(FIELDS[number % FIELD_COUNT]);
}

/* ---- connections ---- */

static void connect_peer(struct script *script, int index)
{
    int pair[2];
    struct mqc_embedded *cluster = script->cluster;
    struct listener *listener =
        index < CONNECTIONS - 1 ? &cluster->brokers[index]->listener : &cluster->name_listener;
    FUZZ_HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    script->peers[index] = pair[1];
    script->connections[index] = connection_new(listener, pair[0]);
}

static void disconnect_peer(struct script *script, int index)
{
    if (script->connections[index]) connection_close(script->connections[index]);
    script->connections[index] = NULL;
    close(script->peers[index]);
}

/* What came for the peer is thrown away, so that the socket does not fill. */
static void drain_peers(struct script *script)
{
    char bytes[4096];
    for (int i = 0; i < CONNECTIONS; i++) {
        while (read(script->peers[i], bytes, sizeof bytes) > 0) continue;
        if (script->connections[i] && script->connections[i]->fd >= 0) continue;
        script->connections[i] = NULL;
        close(script->peers[i]);
        connect_peer(script, i);
    }
}

/* ---- steps ---- */

static void give(struct script *script, uint8_t choice, struct slice frame)
{
    struct connection *connection = script->connections[choice % CONNECTIONS];
    if (connection && connection->fd >= 0) dispatch_frame(connection, frame);
}

static void send_command(struct script *script, const struct command_to_send *command,
                         int32_t opaque, uint8_t choice)
{
    struct buffer frame;
    enum serialize_type type = choice & 0x80 ? SERIALIZE_ROCKETMQ : SERIALIZE_JSON;
    buffer_init(&frame);
    if (remoting_command_encode(&frame, command, opaque, type, NULL, NULL) == MQC_OK)
        give(script, choice, buffer_slice(&frame));
    buffer_done(&frame);
}

static void make_request(struct script *script)
{
    struct command_field fields[FIELDS_MOST];
    struct command_to_send command = {.code = next_code(script)};
    uint8_t choice = next_byte(script);
    command.extra_count = next_byte(script) % (FIELDS_MOST + 1);
    for (size_t i = 0; i < command.extra_count; i++) {
        fields[i].name = next_name(script);
        fields[i].value = next_value(script);
    }
    command.extra = fields;
    command.flag = choice & 0x40 ? COMMAND_FLAG_ONEWAY : 0;
    command.body = next_bytes(script, next_byte(script) * (choice & 0x20 ? 8U : 1U));
    send_command(script, &command, ++script->opaque, choice);
}

static void answer_push(struct script *script)
{
    struct command_to_send command = {.code = next_byte(script) % 4, .flag = COMMAND_FLAG_RESPONSE};
    uint8_t choice = next_byte(script);
    int32_t opaque = next_byte(script) % 16 + 1;
    command.body = next_bytes(script, next_byte(script));
    send_command(script, &command, opaque, choice);
}

static void move_clock(struct script *script)
{
    script->cluster->advanced_ms += (int64_t)next_byte(script) * CLOCK_UNIT_MS;
    cluster_run_schedule(script->cluster);
}

static void toggle_broker(struct script *script)
{
    struct broker *broker = script->cluster->brokers[next_byte(script) % 2];
    if (broker->up)
        broker_take_down(broker, next_byte(script) & 1, next_byte(script) & 1);
    else
        broker_bring_up(broker, 0, NULL);
}

static void run_step(struct script *script)
{
    uint8_t kind = next_byte(script);
    if (kind < 240) {
        make_request(script);
    } else if (kind < 246) {
        uint8_t choice = next_byte(script);
        give(script, choice, next_bytes(script, next_byte(script)));
    } else if (kind < 249) {
        answer_push(script);
    } else if (kind < 252) {
        move_clock(script);
    } else if (kind < 254) {
        int index = next_byte(script) % CONNECTIONS;
        disconnect_peer(script, index);
        connect_peer(script, index);
    } else {
        toggle_broker(script);
    }
    drain_peers(script);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    mqc_error error;
    struct script script = {.at = bytes, .left = size};
    mqc_log_set_level(MQC_LOG_OFF);
    script.cluster = mqc_embedded_start(
        &(mqc_embedded_options){.slaves = 1,
                                .virtual_clock = true,
                                .broker_config = "recallMessageEnable=true\ntransactionCheckMax=3"},
        &error);
    FUZZ_HOLDS(script.cluster);
    mqc_embedded_create_topic(script.cluster, -1, "orders", 2, NULL);
    lock_take(&script.cluster->lock);
    for (int i = 0; i < CONNECTIONS; i++) connect_peer(&script, i);
    for (int i = 0; i < STEPS_MOST && script.left > 0; i++) run_step(&script);
    for (int i = 0; i < CONNECTIONS; i++) disconnect_peer(&script, i);
    lock_release(&script.cluster->lock);
    mqc_embedded_stop(script.cluster);
    return 0;
}
