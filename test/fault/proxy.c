/* See proxy.h. The thread does everything; others hand it an order and wait until it is done. */
#include "test/fault/proxy.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINKS_MOST = 64, BYTES_AT_ONCE = 4096 };
enum order { NONE, PASS, REFUSE, SWALLOW, FORGET, CUT, CUT_BACK, STOP };

struct link {
    int client, server; /* server -1: forgotten */
    bool lost;          /* bytes: it can never be used again */
};

struct proxy {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows but for the thread's own */
    pthread_cond_t done;
    enum order order;
    bool to_client;
    size_t bytes;
    bool cut_made;
    int made;

    /* ---- the thread's own ---- */
    int listener, wake[2];
    struct sockaddr_in target;
    char address[32];
    enum order mode; /* PASS, REFUSE, SWALLOW */
    bool cutting, cut_to_client;
    size_t cut_left;
    struct link links[LINKS_MOST];
    size_t count;
};

static void *run(void *arg);
static bool obey(struct proxy *proxy);
static void add_link(struct proxy *proxy);
static void end_link(struct proxy *proxy, size_t index);
static bool move_bytes(struct proxy *proxy, struct link *link, bool to_client);

static struct sockaddr_in address_of(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned port = 0;
    if (text) ck_assert_int_eq(sscanf(text, "127.0.0.1:%u", &port), 1);
    address.sin_port = htons((uint16_t)port);
    return address;
}

struct proxy *proxy_start(const char *target)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    struct sockaddr_in here = address_of(NULL);
    socklen_t size = sizeof here;
    ck_assert_ptr_nonnull(proxy);
    pthread_mutex_init(&proxy->mutex, NULL);
    pthread_cond_init(&proxy->done, NULL);
    proxy->target = address_of(target);
    proxy->mode = PASS;
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(proxy->listener, (struct sockaddr *)&here, size), 0);
    ck_assert_int_eq(listen(proxy->listener, 64), 0);
    ck_assert_int_eq(getsockname(proxy->listener, (struct sockaddr *)&here, &size), 0);
    snprintf(proxy->address, sizeof proxy->address, "127.0.0.1:%d", ntohs(here.sin_port));
    ck_assert_int_eq(pipe(proxy->wake), 0);
    ck_assert_int_eq(pthread_create(&proxy->thread, NULL, run, proxy), 0);
    return proxy;
}

const char *proxy_address(const struct proxy *proxy)
{
    return proxy->address;
}

/* Returns when the thread has obeyed. */
static void give_order(struct proxy *proxy, enum order order, bool to_client, size_t bytes)
{
    pthread_mutex_lock(&proxy->mutex);
    proxy->order = order;
    proxy->to_client = to_client;
    proxy->bytes = bytes;
    ck_assert_int_eq(write(proxy->wake[1], "", 1), 1);
    while (proxy->order != NONE) pthread_cond_wait(&proxy->done, &proxy->mutex);
    pthread_mutex_unlock(&proxy->mutex);
}

void proxy_pass(struct proxy *proxy)
{
    give_order(proxy, PASS, false, 0);
}

void proxy_refuse(struct proxy *proxy)
{
    give_order(proxy, REFUSE, false, 0);
}

void proxy_swallow(struct proxy *proxy)
{
    give_order(proxy, SWALLOW, false, 0);
}

void proxy_forget(struct proxy *proxy)
{
    give_order(proxy, FORGET, false, 0);
}

void proxy_cut(struct proxy *proxy, bool to_client, size_t bytes)
{
    give_order(proxy, CUT, to_client, bytes);
}

bool proxy_was_cut(struct proxy *proxy)
{
    give_order(proxy, CUT_BACK, false, 0);
    return proxy->cut_made;
}

int proxy_connections(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->mutex);
    int made = proxy->made;
    pthread_mutex_unlock(&proxy->mutex);
    return made;
}

void proxy_stop(struct proxy *proxy)
{
    give_order(proxy, STOP, false, 0);
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
    close(proxy->wake[0]);
    close(proxy->wake[1]);
    pthread_cond_destroy(&proxy->done);
    pthread_mutex_destroy(&proxy->mutex);
    free(proxy);
}

/* ---- the thread ---- */

static void *run(void *arg)
{
    struct proxy *proxy = arg;
    for (;;) {
        struct pollfd items[2 + 2 * LINKS_MOST] = {{proxy->wake[0], POLLIN, 0},
                                                   {proxy->listener, POLLIN, 0}};
        size_t count = proxy->count;
        for (size_t i = 0; i < count; i++) {
            items[2 + 2 * i] = (struct pollfd){proxy->links[i].client, POLLIN, 0};
            items[3 + 2 * i] = (struct pollfd){proxy->links[i].server, POLLIN, 0};
        }
        if (poll(items, 2 + 2 * (nfds_t)count, -1) < 0) continue;
        if (items[0].revents) {
            if (obey(proxy)) continue; /* the links may be others now */
            return NULL;
        }
        if (items[1].revents) add_link(proxy);
        for (size_t i = count; i-- > 0;) {
            bool good = !items[2 + 2 * i].revents || move_bytes(proxy, &proxy->links[i], false);
            if (good && items[3 + 2 * i].revents) good = move_bytes(proxy, &proxy->links[i], true);
            if (!good) end_link(proxy, i);
        }
    }
}

/* False when it is time to end. */
static bool obey(struct proxy *proxy)
{
    char byte;
    ck_assert_int_eq(read(proxy->wake[0], &byte, 1), 1);
    pthread_mutex_lock(&proxy->mutex);
    enum order order = proxy->order;
    if (order == PASS || order == REFUSE || order == SWALLOW) proxy->mode = order;
    if (order == REFUSE || order == STOP)
        while (proxy->count > 0) end_link(proxy, proxy->count - 1);
    for (size_t i = 0; i < proxy->count; i++) {
        if (order != FORGET && (order != PASS || !proxy->links[i].lost)) continue;
        if (proxy->links[i].server >= 0) close(proxy->links[i].server);
        proxy->links[i].server = -1;
    }
    if (order == CUT || order == CUT_BACK) {
        proxy->cut_made = order == CUT_BACK && !proxy->cutting;
        proxy->cutting = order == CUT;
        proxy->cut_to_client = proxy->to_client;
        proxy->cut_left = proxy->bytes;
    }
    proxy->order = NONE;
    pthread_cond_signal(&proxy->done);
    pthread_mutex_unlock(&proxy->mutex);
    return order != STOP;
}

static void add_link(struct proxy *proxy)
{
    struct link link = {accept(proxy->listener, NULL, NULL), -1, false};
    if (link.client < 0) return;
    if (proxy->mode != REFUSE && proxy->count < LINKS_MOST) {
        link.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(link.server, (struct sockaddr *)&proxy->target, sizeof proxy->target) == 0) {
            pthread_mutex_lock(&proxy->mutex);
            proxy->made++;
            pthread_mutex_unlock(&proxy->mutex);
            proxy->links[proxy->count++] = link;
            return;
        }
        close(link.server);
    }
    close(link.client);
}

/* The last one takes its place: links are gone through from the end. */
static void end_link(struct proxy *proxy, size_t index)
{
    struct link *link = &proxy->links[index];
    close(link->client);
    if (link->server >= 0) close(link->server);
    *link = proxy->links[--proxy->count];
}

static bool send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* False when the link is to end. */
static bool move_bytes(struct proxy *proxy, struct link *link, bool to_client)
{
    char bytes[BYTES_AT_ONCE];
    int from = to_client ? link->server : link->client;
    int to = to_client ? link->client : link->server;
    ssize_t got = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got <= 0) return false;
    if (proxy->mode == SWALLOW) link->lost = true;
    if (link->lost || to < 0) return true;
    size_t size = (size_t)got;
    bool cut = proxy->cutting && proxy->cut_to_client == to_client && size >= proxy->cut_left;
    if (cut) size = proxy->cut_left;
    if (proxy->cutting && proxy->cut_to_client == to_client) proxy->cut_left -= size;
    if (cut) proxy->cutting = false;
    return send_all(to, bytes, size) && !cut;
}
