/* replay FILE...: gives each file to the fuzz target it is linked with, whole and cut short at
 * every length up to a limit, since what hostile peers send most is less than they promised. */
#include <stdio.h>

#include "test/fuzz/fuzz.h"

enum { CUT_MOST = 512 };

static int replay(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(name);
        return 1;
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    int failed = 1;
    /* A block of exactly that size each time, so that sanitizers see one byte too many. */
    for (size_t cut = 0; cut <= size; cut += cut < CUT_MOST ? 1 : size - cut ? size - cut : 1) {
        uint8_t *bytes = malloc(cut ? cut : 1);
        rewind(file);
        failed = !bytes || fread(bytes, 1, cut, file) != cut;
        if (!failed) LLVMFuzzerTestOneInput(bytes, cut);
        free(bytes);
        if (failed) break;
    }
    fclose(file);
    if (failed) fprintf(stderr, "%s: not read\n", name);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) failed += replay(argv[i]);
    printf("%d passed, %d failed\n", argc - 1 - failed, failed);
    return failed > 0 || argc < 2;
}
