#include "lib/net/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>

#include "test/unit/unit.h"

START_TEST(addresses_are_read)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        bool numeric;
    } cases[] = {
        {"127.0.0.1:9876", "127.0.0.1", 9876, true},
        {" localhost:1\r\n", "localhost", 1, false},
        {"my_broker-0.svc.local.:65535", "my_broker-0.svc.local.", 65535, false},
        {"[::1]:9876", "::1", 9876, true},
        {"::1:10911", "::1", 10911, true}, /* as Java brokers register */
        {"2001:db8::7:10911", "2001:db8::7", 10911, true},
        {"1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8", 9, true},
        {":::9876", "::", 9876, true},
        {"[2001:db8::7]:0080", "2001:db8::7", 80, true},
        {"[fe80::1%lo]:5", "fe80::1%lo", 5, true},
        {"1.2.3:7", "1.2.3", 7, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address address;
        mqc_error error;
        ck_assert_msg(address_parse(slice_text(cases[i].text), &address, &error) == MQC_OK, "%s",
                      error.text);
        ck_assert_str_eq(address.host, cases[i].host);
        ck_assert_uint_eq(address.port, cases[i].port);
        ck_assert_msg(address_is_numeric(&address) == cases[i].numeric, "%s", cases[i].text);
    }
}
END_TEST

START_TEST(bad_addresses_are_explained)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "an address is empty"},
        {" \t", "an address is empty"},
        {"localhost", "the port is missing"},
        {"[::1]", "the port is missing"},
        {"[::1]9876", "the port is missing"},
        {"[::1:9876", "closing bracket is missing"},
        {"::1", "[::1]:9876"},
        {"1:2:3:4:5:6:7:8", "[::1]:9876"},
        {"2001:db8::7::9876", "[::1]:9876"},
        {"a:b:9876", "[::1]:9876"},
        {"::1:0", "the port must be a number from 1 to 65535"},
        {"::1:x", "the port must be a number from 1 to 65535"},
        {"[]:9876", "the host is missing"},
        {":9876", "the host is missing"},
        {"[localhost]:9876", "only an IPv6 address stands in brackets"},
        {"[1.2.3.4]:9876", "only an IPv6 address stands in brackets"},
        {"localhost:", "the port must be a number from 1 to 65535"},
        {"localhost:0", "the port must be a number from 1 to 65535"},
        {"localhost:65536", "the port must be a number from 1 to 65535"},
        {"localhost:99999999999999999999", "the port must be a number from 1 to 65535"},
        {"localhost:+1", "the port must be a number from 1 to 65535"},
        {"localhost:-1", "the port must be a number from 1 to 65535"},
        {"localhost:12x", "the port must be a number from 1 to 65535"},
        {"localhost: 12", "the port must be a number from 1 to 65535"},
        {"local host:12", "characters that no host name has"},
        {"a,b:12", "a semicolon stands between addresses"},
        {"a:1,b:2", "a semicolon stands between addresses"},
        {"http://localhost:9876", "leave http:// and the path out"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address address = {"untouched", 7};
        mqc_error error;
        ck_assert_msg(address_parse(slice_text(cases[i].text), &address, &error) ==
                          MQC_BAD_ARGUMENT,
                      "'%s' was taken", cases[i].text);
        ck_assert_msg(strstr(error.text, cases[i].why) != NULL, "'%s': %s", cases[i].text,
                      error.text);
        ck_assert_msg(strstr(error.text, "host:port") != NULL, "%s", error.text);
        ck_assert_str_eq(address.host, "untouched");
        ck_assert_uint_eq(address.port, 7);
    }
    ck_assert_int_eq(address_parse(SLICE_ABSENT, &(struct address){.port = 0}, NULL),
                     MQC_BAD_ARGUMENT);
}
END_TEST

START_TEST(nothing_behind_the_slice_is_read)
{
    struct address address;
    ck_assert_int_eq(address_parse(slice_of("h:12345", 4), &address, NULL), MQC_OK);
    ck_assert_uint_eq(address.port, 12);
    ck_assert_int_eq(address_parse(slice_of("[::1]:9", 5), &address, NULL), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(address_parse(slice_of("[::1]:9", 4), &address, NULL), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(address_parse(slice_of("h\0:9876", 7), &address, NULL), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(address_parse(slice_of("[::1\0]:9876", 11), &address, NULL), MQC_BAD_ARGUMENT);
}
END_TEST

START_TEST(formatting_is_the_inverse)
{
    static const char *const texts[] = {"127.0.0.1:9876", "localhost:1", "[::1]:65535",
                                        "[fe80::1%lo]:5"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct address address;
        char text[ADDRESS_TEXT_BYTES];
        ck_assert_int_eq(address_parse(slice_text(texts[i]), &address, NULL), MQC_OK);
        address_format(&address, text);
        ck_assert_str_eq(text, texts[i]);
    }
}
END_TEST

START_TEST(the_longest_host_fits)
{
    char text[ADDRESS_HOST_BYTES + 8], again[ADDRESS_TEXT_BYTES];
    struct address address;
    mqc_error error;
    memset(text, 'a', sizeof text);
    strcpy(text + ADDRESS_HOST_BYTES - 1, ":65535");
    ck_assert_int_eq(address_parse(slice_text(text), &address, NULL), MQC_OK);
    address_format(&address, again);
    ck_assert_str_eq(again, text);
    memset(text, 'a', sizeof text);
    strcpy(text + ADDRESS_HOST_BYTES, ":65535");
    ck_assert_int_eq(address_parse(slice_text(text), &address, &error), MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "too long"));
}
END_TEST

static void resolve_one(const char *host, const char *expected)
{
    struct address address = {.port = 9876}, back;
    struct socket_address found[4];
    size_t count = 99;
    mqc_error error;
    strcpy(address.host, host);
    ck_assert_msg(address_resolve(&address, found, 4, &count, &error) == MQC_OK, "%s", error.text);
    ck_assert_uint_eq(count, 1);
    address_of_socket(&found[0], &back);
    ck_assert_str_eq(back.host, expected);
    ck_assert_uint_eq(back.port, 9876);
}

START_TEST(numbers_resolve_to_themselves)
{
    resolve_one("127.0.0.1", "127.0.0.1");
    resolve_one("192.0.2.255", "192.0.2.255");
    resolve_one("::1", "::1");
    resolve_one("2001:DB8:0::7", "2001:db8::7");
}
END_TEST

START_TEST(localhost_resolves_to_loopback_without_doubles)
{
    struct address address = {"localhost", 1}, one;
    struct socket_address found[8];
    size_t count;
    mqc_error error;
    ck_assert_msg(address_resolve(&address, found, 8, &count, &error) == MQC_OK, "%s", error.text);
    ck_assert_uint_ge(count, 1);
    for (size_t i = 0; i < count; i++) {
        address_of_socket(&found[i], &one);
        ck_assert_msg(strcmp(one.host, "127.0.0.1") == 0 || strcmp(one.host, "::1") == 0, "%s",
                      one.host);
        for (size_t j = 0; j < i; j++)
            ck_assert(memcmp(&found[i].storage, &found[j].storage, found[i].size) != 0);
    }
    ck_assert_int_eq(address_resolve(&address, found, 1, &count, NULL), MQC_OK);
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(a_name_that_cannot_be_is_named_in_the_error)
{
    struct address address = {"no..such.invalid", 1};
    struct socket_address found[2];
    size_t count = 99;
    mqc_error error;
    ck_assert_int_eq(address_resolve(&address, found, 2, &count, &error), MQC_NO_CONNECTION);
    ck_assert_uint_eq(count, 0);
    ck_assert_msg(strstr(error.text, "\"no..such.invalid\" cannot be resolved") != NULL, "%s",
                  error.text);
    ck_assert(error.retryable);
}
END_TEST

START_TEST(a_socket_without_internet_address_has_no_text)
{
    struct socket_address local = {.storage.ss_family = AF_UNIX, .size = 2};
    struct address address = {"old", 3};
    address_of_socket(&local, &address);
    ck_assert_str_eq(address.host, "");
    ck_assert_uint_eq(address.port, 0);
}
END_TEST

struct interface {
    const char *name;
    unsigned flags;
    const char *number;
};

/* What address_choose says of these interfaces, in this order. */
static const char *choose(const struct interface *interfaces, size_t count)
{
    static char out[ADDRESS_HOST_BYTES];
    static char names[8][IF_NAMESIZE];
    static struct sockaddr_in fours[8];
    static struct sockaddr_in6 sixes[8];
    struct ifaddrs items[8];
    memset(items, 0, sizeof items);
    for (size_t i = 0; i < count; i++) {
        strcpy(names[i], interfaces[i].name);
        items[i].ifa_name = names[i];
        items[i].ifa_flags = interfaces[i].flags;
        items[i].ifa_next = i + 1 < count ? &items[i + 1] : NULL;
        if (!interfaces[i].number) continue; /* an interface without an address */
        if (strchr(interfaces[i].number, ':')) {
            sixes[i].sin6_family = AF_INET6;
            sixes[i].sin6_scope_id = 2;
            ck_assert_int_eq(inet_pton(AF_INET6, interfaces[i].number, &sixes[i].sin6_addr), 1);
            items[i].ifa_addr = (struct sockaddr *)&sixes[i];
        } else {
            fours[i].sin_family = AF_INET;
            ck_assert_int_eq(inet_pton(AF_INET, interfaces[i].number, &fours[i].sin_addr), 1);
            items[i].ifa_addr = (struct sockaddr *)&fours[i];
        }
    }
    address_choose(count > 0 ? items : NULL, out);
    return out;
}
#define CHOOSE(...)                                                                                \
    choose((const struct interface[]){__VA_ARGS__},                                                \
           sizeof((const struct interface[]){__VA_ARGS__}) / sizeof(struct interface))

START_TEST(a_public_ipv4_is_chosen_first)
{
    ck_assert_str_eq(CHOOSE({"lo", IFF_UP | IFF_LOOPBACK, "127.0.0.1"}, {"a", IFF_UP, NULL},
                            {"a", IFF_UP, "10.0.0.1"}, {"a", IFF_UP, "2001:db8::1"},
                            {"b", IFF_UP, "192.0.2.1"}, {"c", IFF_UP, "192.0.2.2"},
                            {"d", IFF_UP, "192.168.0.1"}),
                     "192.0.2.1");
}
END_TEST

START_TEST(of_private_ipv4_the_last_is_chosen)
{
    ck_assert_str_eq(CHOOSE({"a", IFF_UP, "10.0.0.1"}, {"b", IFF_UP, "172.16.0.1"},
                            {"b", IFF_UP, "172.31.255.1"}, {"c", IFF_UP, "192.168.7.7"},
                            {"d", IFF_UP, "2001:db8::1"}),
                     "192.168.7.7");
    /* These are just outside the private ranges. */
    ck_assert_str_eq(CHOOSE({"a", IFF_UP, "172.32.0.1"}, {"b", IFF_UP, "10.0.0.1"}), "172.32.0.1");
    ck_assert_str_eq(CHOOSE({"a", IFF_UP, "172.15.0.1"}, {"b", IFF_UP, "10.0.0.1"}), "172.15.0.1");
    ck_assert_str_eq(CHOOSE({"a", IFF_UP, "192.169.0.1"}, {"b", IFF_UP, "10.0.0.1"}),
                     "192.169.0.1");
}
END_TEST

START_TEST(ipv6_is_shown_in_brackets_without_scope)
{
    ck_assert_str_eq(CHOOSE({"lo", IFF_UP, "::1"}, {"a", IFF_UP, "fe80::1"},
                            {"a", IFF_UP, "2001:db8::1"}, {"a", IFF_UP, "2001:db8::2"}),
                     "[2001:db8::1]");
    ck_assert_str_eq(CHOOSE({"a", IFF_UP, "fe80::1"}, {"b", IFF_UP, "fec0::2"}), "[fe80::1]");
}
END_TEST

START_TEST(interfaces_nobody_can_reach_are_skipped)
{
    ck_assert_str_eq(CHOOSE({"a", 0, "192.0.2.1"}, {"b", IFF_UP | IFF_POINTOPOINT, "192.0.2.2"},
                            {"c", IFF_UP | IFF_LOOPBACK, "192.0.2.3"}, {"d:1", IFF_UP, "192.0.2.4"},
                            {"e", IFF_UP, "127.0.0.1"}),
                     "127.0.0.1");
    ck_assert_str_eq(choose(NULL, 0), "127.0.0.1");
}
END_TEST

START_TEST(this_host_has_an_address)
{
    char host[ADDRESS_HOST_BYTES], text[ADDRESS_TEXT_BYTES];
    struct address address;
    mqc_error error;
    address_of_this_host(host);
    snprintf(text, sizeof text, "%s:1", host);
    ck_assert_msg(address_parse(slice_text(text), &address, &error) == MQC_OK, "%s", error.text);
    ck_assert(address_is_numeric(&address));
}
END_TEST

static Suite *address_suite(void)
{
    Suite *suite = suite_create("net/address");
    UNIT_CASE(suite, "text", addresses_are_read, bad_addresses_are_explained,
              nothing_behind_the_slice_is_read, formatting_is_the_inverse, the_longest_host_fits);
    UNIT_CASE(suite, "resolve", numbers_resolve_to_themselves,
              localhost_resolves_to_loopback_without_doubles,
              a_name_that_cannot_be_is_named_in_the_error,
              a_socket_without_internet_address_has_no_text);
    UNIT_CASE(suite, "this host", a_public_ipv4_is_chosen_first, of_private_ipv4_the_last_is_chosen,
              ipv6_is_shown_in_brackets_without_scope, interfaces_nobody_can_reach_are_skipped,
              this_host_has_an_address);
    return suite;
}
TEST_MAIN(address_suite)
