/* Probes of the network for mqc doctor, which do without the library so as to tell its troubles
 * from the network's. Main thread; all block, with time limits but for the system's resolver. */
#include "tools/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

bool split_address(const char *address, char *host, size_t size, char port[8])
{
    const char *colon = strrchr(address, ':');
    if (!colon || strlen(colon + 1) < 1 || strlen(colon + 1) > 5) return false;
    size_t length = (size_t)(colon - address);
    if (length >= 2 && address[0] == '[' && address[length - 1] == ']') {
        address++;
        length -= 2;
    }
    if (length == 0 || length >= size) return false;
    memcpy(host, address, length);
    host[length] = '\0';
    strcpy(port, colon + 1);
    return true;
}

static struct addrinfo *look_up(const char *host, const char *port, int *number)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    *number = getaddrinfo(host, port, &hints, &list);
    return *number == 0 ? list : NULL;
}

bool resolve_host(const char *host, char *found, size_t size)
{
    int number;
    struct addrinfo *list = look_up(host, NULL, &number);
    if (!list) {
        snprintf(found, size, "%s", gai_strerror(number));
        return false;
    }
    size_t used = 0;
    found[0] = '\0';
    for (const struct addrinfo *at = list; at && used < size; at = at->ai_next) {
        char text[INET6_ADDRSTRLEN] = "";
        getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
        used += (size_t)snprintf(found + used, size - used, "%s%s", used ? ", " : "", text);
    }
    freeaddrinfo(list);
    return true;
}

bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 0, or the errno. */
static int finish_connect(int fd, int timeout_ms)
{
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;
    if (poll(&waiting, 1, timeout_ms) <= 0) return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? errno : error;
}

static int connect_one(const struct addrinfo *at, int timeout_ms, int *error)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *error = errno;
    if (fd < 0) return -1;
    *error = connect(fd, at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
    if (*error == EINPROGRESS) *error = finish_connect(fd, timeout_ms);
    if (*error == 0) return fd;
    close(fd);
    return -1;
}

int connect_to(const char *address, int timeout_ms, int *ms, char *wrong, size_t size)
{
    char host[256], port[8];
    int number, fd = -1, error = 0;
    int64_t began = now_ms();
    *ms = 0;
    if (!split_address(address, host, sizeof host, port)) {
        snprintf(wrong, size, "\"%s\" is no HOST:PORT", address);
        return -1;
    }
    struct addrinfo *list = look_up(host, port, &number);
    if (!list) {
        snprintf(wrong, size, "%s", gai_strerror(number));
        return -1;
    }
    for (const struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
        fd = connect_one(at, timeout_ms, &error);
    freeaddrinfo(list);
    *ms = (int)(now_ms() - began);
    if (fd < 0) snprintf(wrong, size, "%s after %d ms", strerror(error), *ms);
    return fd;
}

/* ---- TLS ---- */

static void describe_names(X509 *certificate, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && used < size; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char text[INET6_ADDRSTRLEN] = "?";
        const char *shown = text;
        if (name->type == GEN_DNS)
            shown = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
        else if (name->type == GEN_IPADD)
            inet_ntop(ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6,
                      ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text);
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", shown);
    }
    GENERAL_NAMES_free(names);
}

static void describe_server(SSL *session, char *found, size_t size)
{
    char subject[200] = "", names[300] = "", until[32] = "?";
    struct tm parts;
    X509 *certificate = SSL_get_peer_certificate(session);
    if (!certificate) {
        snprintf(found, size, "%s, no certificate", SSL_get_version(session));
        return;
    }
    X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
    describe_names(certificate, names, sizeof names);
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts))
        strftime(until, sizeof until, "%Y-%m-%d", &parts);
    snprintf(found, size, "%s, certificate %s for %s, valid until %s", SSL_get_version(session),
             subject, *names ? names : "no name", until);
    X509_free(certificate);
}

/* The socket has time limits of its own from here on. */
static void make_blocking(int fd, int timeout_ms)
{
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

bool look_at_tls(const char *address, int timeout_ms, char *found, size_t size)
{
    int ms;
    bool spoke = false;
    snprintf(found, size, "no handshake");
    int fd = connect_to(address, timeout_ms, &ms, found, size);
    if (fd < 0) return false;
    make_blocking(fd, timeout_ms);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *session = context ? SSL_new(context) : NULL;
    if (session && SSL_set_fd(session, fd)) {
        SSL_set_verify(session, SSL_VERIFY_NONE, NULL); /* it only looks */
        spoke = SSL_connect(session) == 1;
        if (spoke) describe_server(session, found, size);
    }
    SSL_free(session);
    SSL_CTX_free(context);
    ERR_clear_error();
    close(fd);
    return spoke;
}
