/* A blocking client that speaks frames to an embedded cluster: one connection, requests and their
 * answers by opaque, pushes kept for later. Everything fails the test by itself. */
#ifndef TEST_UNIT_EMBEDDED_WIRE_CLIENT_H
#define TEST_UNIT_EMBEDDED_WIRE_CLIENT_H

#include <mqclient/embedded.h>

#include "lib/net/tls.h"
#include "lib/protocol/frame_splitter.h"
#include "lib/protocol/message.h"
#include "lib/protocol/remoting_command.h"
#include "test/unit/unit.h"

#define assert_text(value, expected)                                                               \
    do {                                                                                           \
        struct slice value_ = (value);                                                             \
        ck_assert_msg(slice_is(value_, (expected)), "'%.*s' is not '%s'", SLICE_FORMAT(value_),    \
                      (expected));                                                                 \
    } while (0)

enum { WIRE_TIMEOUT_MS = 30000, WIRE_KEPT_MAX = 64 };

/* A command that came in, with its frame. */
struct wire_frame {
    struct frame *frame;
    struct remoting_command command;
};

struct wire {
    int fd;
    struct tls_session *tls;
    struct frame_splitter splitter;
    struct wire_frame *kept[WIRE_KEPT_MAX]; /* not asked for yet */
    size_t kept_count;
    int32_t opaque;
    enum serialize_type type;
    const struct credentials *credentials;
};

struct wire *wire_open(const char *address);
struct wire *wire_open_tls(const char *address, const mqc_tls_options *tls);
void wire_close(struct wire *wire);

/* Sends a request; returns its opaque. */
int32_t wire_send(struct wire *wire, int32_t code, const struct header_layout *layout,
                  const void *header, struct slice body);
int32_t wire_send_oneway(struct wire *wire, int32_t code, const struct header_layout *layout,
                         const void *header, struct slice body);
/* Answers a push. */
void wire_answer(struct wire *wire, const struct wire_frame *push, int32_t code, struct slice body);
void wire_send_bytes(struct wire *wire, struct slice bytes);

/* The answer to an opaque, or the next push of a code; waits for it. Freed by wire_frame_free. */
struct wire_frame *wire_receive(struct wire *wire, int32_t opaque);
struct wire_frame *wire_receive_push(struct wire *wire, int32_t code);
/* Whether anything is there for an opaque already, without waiting. */
bool wire_has_answer(struct wire *wire, int32_t opaque);
/* Waits for the peer to end the connection. */
void wire_expect_end(struct wire *wire);
void wire_frame_free(struct wire_frame *frame);

/* Sends and waits. */
struct wire_frame *wire_call(struct wire *wire, int32_t code, const struct header_layout *layout,
                             const void *header, struct slice body);
/* Sends, waits, and checks the code of the answer. */
void wire_expect(struct wire *wire, int32_t code, const struct header_layout *layout,
                 const void *header, struct slice body, int32_t answer_code);

/* A test case with a fixture around each test. */
#define WIRE_CASE(suite, name, set_up, tear_down, ...)                                             \
    do {                                                                                           \
        const TTest *const tests_[] = {__VA_ARGS__};                                               \
        TCase *case_ = tcase_create(name);                                                         \
        tcase_set_timeout(case_, 60);                                                              \
        tcase_add_checked_fixture(case_, set_up, tear_down);                                       \
        for (size_t i_ = 0; i_ < sizeof tests_ / sizeof *tests_; i_++)                             \
            tcase_add_test(case_, tests_[i_]);                                                     \
        suite_add_tcase(suite, case_);                                                             \
    } while (0)

/* ---- the usual requests ---- */

/* A cluster that is stopped by the test. */
mqc_embedded *cluster_start(const mqc_embedded_options *options);

struct send_message_header wire_send_header(const char *topic, int queue_id,
                                            const char *properties);
/* Sends to a queue and expects success; returns the queue offset. */
int64_t wire_put(struct wire *wire, const char *topic, int queue_id, const char *properties,
                 const char *body);
void wire_heartbeat(struct wire *wire, const char *client_id, const char *group, const char *topic,
                    const char *expression);
struct pull_message_header wire_pull_header(const char *group, const char *topic, int queue_id,
                                            int64_t offset, int64_t suspend_ms);
/* The messages of a pull's answer; NULL for none. Unref'd by the caller. */
struct message_block *wire_messages(const struct wire_frame *answer);
/* One pull at an offset; checks the code. */
struct message_block *wire_pull(struct wire *wire, const char *group, const char *topic,
                                int queue_id, int64_t offset, int32_t answer_code);

#endif
