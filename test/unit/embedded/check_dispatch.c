/* Damaged frames: every golden frame, mutated from a fixed seed, sent at a broker and the name
 * server, which must live on. The sanitizers watch. */
#include "test/unit/embedded/wire_client.h"
#undef assert_text
#include "test/unit/protocol/golden_frames.h"

/* Damage that leaves the frame's length word right, so that it gets past the splitter. */
static void damage(uint64_t *state, char *frame, size_t size)
{
    enum { LENGTH_BYTES = 4 };
    size_t times = 1 + random_below(state, 6);
    for (size_t i = 0; i < times; i++) {
        size_t at = LENGTH_BYTES + random_below(state, size - LENGTH_BYTES);
        switch (random_below(state, 4)) {
        case 0: frame[at] = (char)random_next(state); break;
        case 1: frame[at] = (char)('0' + random_below(state, 10)); break;
        case 2: frame[at] = "\"{}[],:\\"[random_below(state, 8)]; break;
        default: frame[at] = (char)(frame[at] ^ 1 << random_below(state, 8)); break;
        }
    }
}

START_TEST(damaged_frames_do_no_harm)
{
    mqc_embedded *cluster = cluster_start(NULL);
    const struct golden_names *golden = golden_names();
    uint64_t state = 20261123;
    for (size_t i = 0; i < golden->count; i++) {
        struct slice whole = golden_bytes(golden->names[i]);
        for (int server = 0; server < 2; server++) {
            struct wire *wire = wire_open(server ? mqc_embedded_name_servers(cluster)
                                                 : mqc_embedded_broker_address(cluster, 0));
            wire_send_bytes(wire, whole);
            for (int round = 0; round < 30; round++) {
                char *copy = malloc(whole.size);
                memcpy(copy, whole.data, whole.size);
                damage(&state, copy, whole.size);
                wire_send_bytes(wire, slice_of(copy, whole.size));
                free(copy);
            }
            wire_close(wire);
        }
    }
    struct wire *wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    ck_assert_int_eq(wire_put(wire, "still-there", 0, NULL, "x"), 0);
    wire_close(wire);
    mqc_embedded_stop(cluster);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded dispatch");
    UNIT_CASE(s, "hostile", damaged_frames_do_no_harm);
    return s;
}
TEST_MAIN(suite)
