/* Addresses: their text, resolving names, and which of its own addresses a host shows to brokers.
 * Any thread; only address_resolve blocks, and only for names. Called by the remoting client, the
 * options of roles and the embedded cluster. */
#include "lib/net/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/error.h"

#define EXAMPLES "host:port is needed, for example 192.0.2.7:9876 or [2001:db8::7]:9876"

static bool parse_port(struct slice text, uint16_t *out);
static bool is_numeric(const char *host, int family);
static bool is_numeric_6(struct slice host);
static void alternate_families(struct socket_address *addresses, size_t count);
static bool has_only(struct slice host, const char *others);

static mqc_status bad_address(mqc_error *error, struct slice text, const char *why)
{
    return error_set(error, MQC_BAD_ARGUMENT, "address \"%.*s\": %s; " EXAMPLES, SLICE_FORMAT(text),
                     why);
}

/* The parts of "[host]:port" or "host:port"; returns what is wrong with it, or NULL. */
static const char *split(struct slice text, bool bracketed, struct slice *host, struct slice *port)
{
    const char *end = text.data + text.size, *colon;
    if (bracketed) {
        const char *bracket = memchr(text.data, ']', text.size);
        if (!bracket) return "the closing bracket is missing";
        colon = bracket + 1;
        if (colon == end || *colon != ':') return "the port is missing";
        *host = slice_of(text.data + 1, (size_t)(bracket - text.data) - 1);
    } else {
        if (memchr(text.data, '/', text.size))
            return "it is not a URL: leave http:// and the path out";
        if (memchr(text.data, ',', text.size)) return "a semicolon stands between addresses";
        colon = memrchr(text.data, ':', text.size);
        if (!colon) return "the port is missing";
        *host = slice_of(text.data, (size_t)(colon - text.data));
        /* Java brokers register as ::1:10911: what follows the last colon is the port. */
        if (memchr(host->data, ':', host->size) && !is_numeric_6(*host))
            return "IPv6 stands in brackets, as in [::1]:9876";
    }
    *port = slice_of(colon + 1, (size_t)(end - colon) - 1);
    return NULL;
}

mqc_status address_parse(struct slice text, struct address *out, mqc_error *error)
{
    struct slice host, port;
    struct address parsed = {.port = 0};
    text = slice_trim(text);
    if (!text.data || text.size == 0)
        return error_set(error, MQC_BAD_ARGUMENT, "an address is empty: " EXAMPLES);
    bool bracketed = text.data[0] == '[';
    const char *wrong = split(text, bracketed, &host, &port);
    if (wrong) return bad_address(error, text, wrong);
    if (host.size == 0) return bad_address(error, text, "the host is missing");
    if (host.size >= sizeof parsed.host) return bad_address(error, text, "the host is too long");
    memcpy(parsed.host, host.data, host.size);
    bool is_6 = bracketed || memchr(host.data, ':', host.size);
    if (!has_only(host, is_6 ? "._-:%" : "._-"))
        return bad_address(error, text, "the host has characters that no host name has");
    if (bracketed && !is_numeric(parsed.host, AF_INET6))
        return bad_address(error, text, "only an IPv6 address stands in brackets");
    if (!parse_port(port, &parsed.port))
        return bad_address(error, text, "the port must be a number from 1 to 65535");
    *out = parsed;
    return MQC_OK;
}

static bool parse_port(struct slice text, uint16_t *out)
{
    int32_t port;
    if (text.size == 0 || !isdigit((unsigned char)text.data[0])) return false;
    if (!slice_to_int32(text, &port) || port < 1 || port > UINT16_MAX) return false;
    *out = (uint16_t)port;
    return true;
}

/* Letters, digits and `others`: with underscores, as container networks have them in names. */
static bool has_only(struct slice host, const char *others)
{
    for (size_t i = 0; i < host.size; i++) {
        unsigned char c = (unsigned char)host.data[i];
        if (c >= 0x80 || c == '\0' || (!isalnum(c) && !strchr(others, c))) return false;
    }
    return true;
}

void address_format(const struct address *address, char out[ADDRESS_TEXT_BYTES])
{
    bool brackets = strchr(address->host, ':') != NULL;
    snprintf(out, ADDRESS_TEXT_BYTES, "%s%s%s:%u", brackets ? "[" : "", address->host,
             brackets ? "]" : "", (unsigned)address->port);
}

/* IPv6 numbers may have a scope: fe80::1%eth0. */
static bool is_numeric(const char *host, int family)
{
    char number[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    size_t size = family == AF_INET6 ? strcspn(host, "%") : strlen(host);
    if (size >= sizeof number) return false;
    memcpy(number, host, size);
    number[size] = '\0';
    return inet_pton(family, number, &ignored) == 1;
}

static bool is_numeric_6(struct slice host)
{
    char text[ADDRESS_HOST_BYTES];
    if (host.size >= sizeof text) return false;
    memcpy(text, host.data, host.size);
    text[host.size] = '\0';
    return is_numeric(text, AF_INET6);
}

bool address_is_numeric(const struct address *address)
{
    return is_numeric(address->host, AF_INET) || is_numeric(address->host, AF_INET6);
}

static mqc_status resolving_failed(const char *host, int code, int errno_value, mqc_error *error)
{
    if (code == EAI_MEMORY) return error_no_memory(error);
    mqc_error system = {.text = ""};
    if (code == EAI_SYSTEM) error_system(&system, errno_value, "resolver");
    error_set(error, MQC_NO_CONNECTION, "host \"%s\" cannot be resolved: %s", host,
              code == EAI_SYSTEM ? system.text : gai_strerror(code));
    error_mark_retryable(error);
    return MQC_NO_CONNECTION;
}

static bool is_known(const struct socket_address *known, size_t count, const struct addrinfo *item)
{
    for (size_t i = 0; i < count; i++)
        if (known[i].size == item->ai_addrlen &&
            memcmp(&known[i].storage, item->ai_addr, item->ai_addrlen) == 0)
            return true;
    return false;
}

mqc_status address_resolve(const struct address *address, struct socket_address *out,
                           size_t capacity, size_t *count, mqc_error *error)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[8];
    *count = 0;
    snprintf(port, sizeof port, "%u", (unsigned)address->port);
    hints.ai_flags = AI_NUMERICSERV | (address_is_numeric(address) ? AI_NUMERICHOST : 0);
    int code = getaddrinfo(address->host, port, &hints, &found);
    if (code != 0 && strcasecmp(address->host, "localhost") == 0) {
        /* RFC 6761: the name means loopback also where no hosts file says so. */
        code = getaddrinfo("127.0.0.1", port, &hints, &found);
    }
    if (code != 0) return resolving_failed(address->host, code, errno, error);
    for (struct addrinfo *item = found; item && *count < capacity; item = item->ai_next) {
        if (item->ai_family != AF_INET && item->ai_family != AF_INET6) continue;
        if (is_known(out, *count, item)) continue; /* a hosts file may list an address twice */
        struct socket_address *place = &out[(*count)++];
        memset(place, 0, sizeof *place);
        memcpy(&place->storage, item->ai_addr, item->ai_addrlen);
        place->size = item->ai_addrlen;
    }
    freeaddrinfo(found);
    if (*count == 0) return resolving_failed(address->host, EAI_NONAME, 0, error);
    alternate_families(out, *count);
    return MQC_OK;
}

/* RFC 8305: the resolver's order within each family, the families in turn, so that a network where
 * one of them leads nowhere costs one try and not as many as the name has addresses. */
static void alternate_families(struct socket_address *addresses, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t other = i;
        while (other < count &&
               addresses[other].storage.ss_family == addresses[i - 1].storage.ss_family)
            other++;
        if (other == count) return;
        struct socket_address moved = addresses[other];
        memmove(&addresses[i + 1], &addresses[i], (other - i) * sizeof addresses[0]);
        addresses[i] = moved;
    }
}

void address_of_socket(const struct socket_address *from, struct address *out)
{
    const struct sockaddr *generic = (const struct sockaddr *)&from->storage;
    memset(out, 0, sizeof *out);
    if (generic->sa_family != AF_INET && generic->sa_family != AF_INET6) return;
    if (getnameinfo(generic, from->size, out->host, sizeof out->host, NULL, 0, NI_NUMERICHOST) != 0)
        return;
    in_port_t port = generic->sa_family == AF_INET
                         ? ((const struct sockaddr_in *)generic)->sin_port
                         : ((const struct sockaddr_in6 *)generic)->sin6_port;
    out->port = ntohs(port);
}

/* NetworkUtil.getLocalInetAddressList; aliases (eth0:1) are what Java calls virtual. */
static bool is_usable(const struct ifaddrs *item)
{
    char path[sizeof "/sys/class/net//bridge" + IF_NAMESIZE];
    if (!item->ifa_addr || !(item->ifa_flags & IFF_UP)) return false;
    if (item->ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) return false;
    if (strchr(item->ifa_name, ':')) return false;
    snprintf(path, sizeof path, "/sys/class/net/%s/bridge", item->ifa_name);
    return access(path, F_OK) != 0;
}

/* UtilAll.isInternalIP */
static bool is_private_4(uint32_t ip)
{
    return ip >> 24 == 10 || ip >> 24 == 127 || ip >> 20 == (172 << 4 | 1) ||
           ip >> 16 == (192 << 8 | 168);
}

/* UtilAll.isInternalV6IP */
static bool is_internal_6(const struct in6_addr *ip)
{
    return IN6_IS_ADDR_UNSPECIFIED(ip) || IN6_IS_ADDR_LOOPBACK(ip) || IN6_IS_ADDR_LINKLOCAL(ip) ||
           IN6_IS_ADDR_SITELOCAL(ip);
}

void address_choose(const struct ifaddrs *interfaces, char out[ADDRESS_HOST_BYTES])
{
    const struct in_addr *public_4 = NULL, *private_4 = NULL;
    const struct in6_addr *public_6 = NULL, *first_6 = NULL;
    for (const struct ifaddrs *item = interfaces; item; item = item->ifa_next) {
        if (!is_usable(item)) continue;
        if (item->ifa_addr->sa_family == AF_INET) {
            const struct in_addr *ip = &((const struct sockaddr_in *)item->ifa_addr)->sin_addr;
            uint32_t number = ntohl(ip->s_addr);
            if (number >> 24 == 127) continue;
            if (is_private_4(number))
                private_4 = ip;
            else if (!public_4)
                public_4 = ip;
        } else if (item->ifa_addr->sa_family == AF_INET6) {
            const struct in6_addr *ip = &((const struct sockaddr_in6 *)item->ifa_addr)->sin6_addr;
            if (IN6_IS_ADDR_LOOPBACK(ip)) continue;
            if (!first_6) first_6 = ip;
            if (!public_6 && !is_internal_6(ip)) public_6 = ip;
        }
    }
    char number[INET6_ADDRSTRLEN] = "127.0.0.1";
    const struct in_addr *four = public_4 ? public_4 : private_4;
    const struct in6_addr *six = public_6 ? public_6 : first_6;
    if (four) {
        inet_ntop(AF_INET, four, number, sizeof number);
    } else if (six) {
        inet_ntop(AF_INET6, six, number, sizeof number);
    }
    bool brackets = !four && six;
    snprintf(out, ADDRESS_HOST_BYTES, "%s%s%s", brackets ? "[" : "", number, brackets ? "]" : "");
}

void address_of_this_host(char out[ADDRESS_HOST_BYTES])
{
    struct ifaddrs *interfaces = NULL;
    if (getifaddrs(&interfaces) != 0) interfaces = NULL;
    address_choose(interfaces, out);
    if (interfaces) freeifaddrs(interfaces);
}
