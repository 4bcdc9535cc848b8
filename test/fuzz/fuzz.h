/* A fuzz target is a file fuzz_<name>.c in the folder of the highest layer it may use, with this
 * one function: it has something of ours read `size` hostile bytes, and must come back with nothing
 * leaked, nothing read or written out of bounds, and little memory used. Built twice: by `make
 * fuzz` with libFuzzer, and by `make check` with replay.c, which gives it the files of
 * test/fuzz/corpus/<name>: seeds, and whatever once found a bug. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What must hold; also in builds without assertions. */
#define FUZZ_HOLDS(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

#endif
