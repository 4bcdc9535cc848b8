/* --metrics: see metrics.h. One thread answers one connection after the other, which is all that a
 * scraper needs; a peer that does not ask within two seconds is sent away. */
#include "tools/metrics.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tools/output.h"

enum { REQUEST_BYTES = 4096, PATIENCE_S = 2 };

struct metrics {
    int fd;
    pthread_t thread;
    metrics_reader *read;
    void *client;
};

static int bind_to(const char *command, const char *where, int *fd);
static int say_where(const char *command, int fd);
static void *serve(void *arg);
static void answer(const struct metrics *metrics, int fd);
static void respond(int fd, const char *status, const char *body);

int metrics_start(const char *command, const char *where, metrics_reader *read, void *client,
                  struct metrics **out)
{
    if (!where) return -1;
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (!metrics) return failure(command, "out of memory");
    metrics->read = read;
    metrics->client = client;
    int code = bind_to(command, where, &metrics->fd);
    if (code < 0) code = say_where(command, metrics->fd);
    if (code < 0 && (errno = pthread_create(&metrics->thread, NULL, serve, metrics)) != 0) {
        code = failure(command, "--metrics: %s", strerror(errno));
        close(metrics->fd);
    }
    if (code < 0)
        *out = metrics;
    else
        free(metrics);
    return code;
}

void metrics_stop(struct metrics *metrics)
{
    if (!metrics) return;
    shutdown(metrics->fd, SHUT_RDWR); /* ends the accept */
    pthread_join(metrics->thread, NULL);
    close(metrics->fd);
    free(metrics);
}

/* Without a host only this machine may ask: what is served names topics and brokers. */
static int bind_to(const char *command, const char *where, int *fd)
{
    const char *colon = strrchr(where, ':');
    char host[256] = "127.0.0.1", *end;
    const char *port = colon ? colon + 1 : where;
    long number = strtol(port, &end, 10);
    if (end == port || *end || number < 0 || number > 65535 ||
        (colon && (colon == where || (size_t)(colon - where) >= sizeof host)))
        return usage_error(command,
                           "--metrics is \"%s\": give [HOST:]PORT, as 9464 or 0.0.0.0:9464", where);
    if (colon) snprintf(host, sizeof host, "%.*s", (int)(colon - where), where);
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int failed = getaddrinfo(host, port, &hints, &found);
    if (failed) return failure(command, "--metrics %s: %s", where, gai_strerror(failed));
    const int yes = 1;
    *fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = *fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                 bind(*fd, found->ai_addr, found->ai_addrlen) == 0 && listen(*fd, 8) == 0;
    int code = bound ? -1 : failure(command, "--metrics %s: %s", where, strerror(errno));
    if (!bound && *fd >= 0) close(*fd);
    freeaddrinfo(found);
    return code;
}

static int say_where(const char *command, int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        fprintf(stderr,
                strchr(host, ':') ? "mqc: %s: metrics at http://[%s]:%s/metrics\n"
                                  : "mqc: %s: metrics at http://%s:%s/metrics\n",
                command, host, port);
    return -1;
}

/* ---- the thread ---- */

static void *serve(void *arg)
{
    const struct metrics *metrics = arg;
    for (;;) {
        int fd = accept(metrics->fd, NULL, NULL);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (fd < 0) return NULL;
        answer(metrics, fd);
        close(fd);
    }
}

static void answer(const struct metrics *metrics, int fd)
{
    char request[REQUEST_BYTES];
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    size_t size = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    do {
        ssize_t more = recv(fd, request + size, sizeof request - 1 - size, 0);
        if (more <= 0) return;
        size += (size_t)more;
        request[size] = '\0';
    } while (!strstr(request, "\r\n\r\n") && size < sizeof request - 1);
    if (strncmp(request, "GET /metrics ", 13) != 0) {
        respond(fd, "404 Not Found", "GET /metrics\n");
        return;
    }
    mqc_error error;
    mqc_stats *stats = metrics->read(metrics->client, &error);
    const char *text = stats ? mqc_stats_prometheus(stats, &error) : NULL;
    respond(fd, text ? "200 OK" : "500 Internal Server Error", text ? text : error.text);
    mqc_stats_free(stats);
}

static void respond(int fd, const char *status, const char *body)
{
    char head[256];
    int size = snprintf(head, sizeof head,
                        "HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4\r\n"
                        "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                        status, strlen(body));
    const struct {
        const char *at;
        size_t size;
    } parts[] = {{head, (size_t)size}, {body, strlen(body)}};
    for (size_t i = 0; i < 2; i++) {
        for (size_t sent = 0; sent < parts[i].size;) {
            ssize_t more = send(fd, parts[i].at + sent, parts[i].size - sent, MSG_NOSIGNAL);
            if (more <= 0) return;
            sent += (size_t)more;
        }
    }
}
