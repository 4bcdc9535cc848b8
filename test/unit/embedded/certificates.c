/* The certificates of the tests of lib/net, for those of TLS here: a folder's tests are linked with
 * that folder's helpers only. */
#include "test/unit/net/certificates.c"
