/* What TLS costs at least: one blocking connection on OpenSSL, SEND_MESSAGE_V2 frames encoded once
 * of which only the opaque changes, answers counted and checked for success. For comparison with
 * mqc bench --tls.
 *
 *   cc -O2 docs/bench/tls_floor.c -o build/tls_floor -lssl -lcrypto
 *   build/tls_floor sync|async N BODY TOPIC HOST PORT CA CERTIFICATE KEY
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { IN_FLIGHT = 512, BURST = 32, FRAME_MOST = 8192, WARM_UP = 1000 };

static SSL *tls;
static char answers[1 << 20];
static size_t have;

static void give_up(const char *what)
{
    fprintf(stderr, "tls_floor: %s failed\n", what);
    exit(1);
}

static double seconds_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void set32(char *at, size_t value)
{
    uint32_t big_endian = htonl((uint32_t)value);
    memcpy(at, &big_endian, 4);
}

static void open_connection(char **where)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(where[0], where[1], &hints, &found)) give_up("getaddrinfo");
    int fd = socket(found->ai_family, SOCK_STREAM, 0), on = 1;
    if (connect(fd, found->ai_addr, found->ai_addrlen)) give_up("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_file(context, where[2]) != 1 ||
        SSL_CTX_use_certificate_chain_file(context, where[3]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, where[4], SSL_FILETYPE_PEM) != 1)
        give_up("reading certificates");
    tls = SSL_new(context);
    SSL_set_fd(tls, fd);
    if (SSL_connect(tls) != 1) give_up("the handshake");
    freeaddrinfo(found);
}

/* Returns where the ten digits of the opaque are. */
static size_t make_frame(char *frame, size_t *size, const char *topic, size_t body)
{
    int header = snprintf(frame + 8, FRAME_MOST - 8,
                          "{\"code\":310,\"language\":\"CPP\",\"version\":513,\"opaque\":"
                          "1000000000,\"flag\":0,\"extFields\":"
                          "{\"a\":\"floor\",\"b\":\"%s\",\"c\":\"TBW102\",\"d\":\"4\",\"e\":\"0\","
                          "\"f\":\"0\",\"g\":\"%ld000\","
                          "\"h\":\"0\",\"i\":\"WAIT\\u0001true\\u0002\",\"j\":\"0\",\"k\":"
                          "\"false\",\"m\":\"false\"}}",
                          topic, (long)time(NULL));
    *size = 8 + (size_t)header + body;
    if (*size > FRAME_MOST) give_up("a body so large");
    for (size_t i = 0; i < body; i++) frame[8 + header + (long)i] = (char)rand();
    set32(frame, *size - 4);
    set32(frame + 4, (size_t)header);
    return (size_t)(strstr(frame + 8, "1000000000") - frame);
}

static void stamp(char *digits, long opaque)
{
    for (int i = 9; i > 0; i--, opaque /= 10) digits[i] = (char)('0' + opaque % 10);
}

static long read_answers(void)
{
    int got = SSL_read(tls, answers + have, (int)(sizeof answers - have));
    if (got <= 0) give_up("reading");
    have += (size_t)got;
    size_t used = 0;
    long count = 0;
    for (uint32_t size; have - used >= 4; used += size, count++) {
        memcpy(&size, answers + used, 4);
        size = ntohl(size) + 4;
        if (have - used < size) break;
        if (!memmem(answers + used, size, "\"code\":0", 8)) give_up("a send");
    }
    memmove(answers, answers + used, have -= used);
    return count;
}

int main(int count, char **words)
{
    static char frames[BURST * FRAME_MOST];
    if (count != 10) return fputs("usage: see the top of tls_floor.c\n", stderr), 2;
    long most = strcmp(words[1], "sync") ? IN_FLIGHT : 1, n = atol(words[2]);
    long burst = most > 1 ? BURST : 1;
    size_t size, opaque_at = make_frame(frames, &size, words[4], (size_t)atol(words[3]));
    for (long i = 1; i < burst; i++) memcpy(frames + (size_t)i * size, frames, size);
    open_connection(words + 5);
    double began = 0, cpu_began = 0;
    long sent = 0, done = 0;
    while (done < WARM_UP + n) {
        if (done >= WARM_UP && began == 0) {
            began = seconds_of(CLOCK_MONOTONIC);
            cpu_began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        }
        if (sent - done + burst > most || sent >= WARM_UP + n) {
            done += read_answers();
            continue;
        }
        for (long i = 0; i < burst; i++) stamp(frames + (size_t)i * size + opaque_at, sent++);
        if (SSL_write(tls, frames, (int)((size_t)burst * size)) <= 0) give_up("writing");
    }
    double seconds = seconds_of(CLOCK_MONOTONIC) - began;
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_began;
    printf("{\"peer\":\"tls-floor\",\"mode\":\"send-%s\",\"n\":%ld,\"msgs_per_s\":%.0f,\"cpu_us_"
           "per_msg\":%.3f,"
           "\"protocol\":\"%s\",\"cipher\":\"%s\"}\n",
           words[1], n, (double)n / seconds, cpu * 1e6 / (double)n, SSL_get_version(tls),
           SSL_get_cipher(tls));
    return 0;
}
