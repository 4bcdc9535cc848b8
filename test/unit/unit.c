/* Shared by all unit tests: see unit.h. Run from the top of the tree or with MQC_SOURCE set. */
#include "test/unit/unit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

int unit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void unit_case(Suite *suite, const char *name, const TTest *const *tests, int count)
{
    TCase *tcase = tcase_create(name);
    /* Generous: machines are slow under sanitizers, and no test may depend on speed. */
    tcase_set_timeout(tcase, 60);
    for (int i = 0; i < count; i++) tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
}

static int hex_value(int c)
{
    if (isdigit(c)) return c - '0';
    return tolower(c) - 'a' + 10;
}

/* Everything handed out stays reachable, so that the leak checker sees only what the tests leak. */
static struct kept {
    struct kept *next;
    char bytes[];
} * kept;

static char *keep(size_t size)
{
    struct kept *block = malloc(sizeof *block + size);
    ck_assert_ptr_nonnull(block);
    block->next = kept;
    kept = block;
    return block->bytes;
}

struct slice hex_bytes(const char *hex)
{
    char *bytes = keep(strlen(hex) / 2 + 1);
    size_t digits = 0;
    for (; *hex; hex++) {
        if (*hex == '#') hex += strcspn(hex, "\n");
        if (!isxdigit((unsigned char)*hex)) {
            if (*hex == '\0') break;
            continue;
        }
        int value = hex_value((unsigned char)*hex);
        if (digits % 2 == 0)
            bytes[digits / 2] = (char)(value << 4);
        else
            bytes[digits / 2] = (char)(bytes[digits / 2] | value);
        digits++;
    }
    return slice_of(bytes, digits / 2);
}

struct slice golden_text(const char *file_name)
{
    const char *source = getenv("MQC_SOURCE");
    char path[512];
    snprintf(path, sizeof path, "%s/test/unit/golden/%s", source ? source : ".", file_name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "no golden bytes at %s", path);
    static char text[4 << 20];
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    char *bytes = keep(size + 1);
    memcpy(bytes, text, size);
    bytes[size] = '\0';
    return slice_of(bytes, size);
}

struct slice golden_bytes(const char *name)
{
    char file_name[256];
    snprintf(file_name, sizeof file_name, "%s.hex", name);
    return hex_bytes(golden_text(file_name).data);
}
