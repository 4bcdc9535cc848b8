/* Tests of lib/client/address_map.c. */
#include "lib/client/address_map.h"

#include <stdio.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

/* What becomes of one advertised address. */
static const char *map_with(const mqc_client_options *options, const char *advertised)
{
    static char result[sizeof(mqc_error)];
    struct broker_address address = {.broker_id = 1, .address = memory_duplicate(advertised)};
    struct broker_data broker = {
        .broker_name = "broker-a", .address_count = 1, .addresses = &address};
    mqc_error error;
    mqc_status status = address_map_apply(options, &broker, 1, &error);
    snprintf(result, sizeof result, "%s", status == MQC_OK ? address.address : error.text);
    memory_free(address.address);
    return result;
}

static const char *map_by(const char *table, const char *advertised)
{
    return map_with(&(mqc_client_options){.address_map = table}, advertised);
}

START_TEST(without_a_map_addresses_stay)
{
    ck_assert_str_eq(map_by(NULL, "10.0.0.1:10911"), "10.0.0.1:10911");
    ck_assert_str_eq(map_by(NULL, "Broker_1.net:10911"), "Broker_1.net:10911");
    ck_assert_str_eq(map_by(NULL, "what is this?"), "what is this?");
    /* One form for one address: connections are found by it. */
    ck_assert_str_eq(map_by(NULL, "::1:10911"), "[::1]:10911");
    ck_assert_str_eq(map_by(NULL, "[::1]:10911"), "[::1]:10911");
}
END_TEST

START_TEST(table_maps_hosts_and_addresses)
{
    const char *table = "10.0.0.1=localhost; 10.0.0.2:10911 = 192.0.2.7:30911;10.0.0.2=other;"
                        "10.0.0.2:10921=last:1";
    ck_assert_str_eq(map_by(table, "10.0.0.1:10911"), "localhost:10911");
    ck_assert_str_eq(map_by(table, "10.0.0.1:10921"), "localhost:10921");
    ck_assert_str_eq(map_by(table, "10.0.0.2:10911"), "192.0.2.7:30911");
    ck_assert_str_eq(map_by(table, "10.0.0.2:10921"), "last:1"); /* says more than the host alone */
    ck_assert_str_eq(map_by(table, "10.0.0.2:5"), "other:5");
    ck_assert_str_eq(map_by(table, "10.0.0.3:5"), "10.0.0.3:5");
    ck_assert_str_eq(map_by("10.0.0.1:1=there", "10.0.0.1:1"), "there:1");
    ck_assert_str_eq(map_by("10.0.0.1=there:7", "10.0.0.1:1"), "there:7");
}
END_TEST

START_TEST(table_maps_ipv6)
{
    ck_assert_str_eq(map_by("[fd00::2]=[::1]", "fd00::2:10911"), "[::1]:10911");
    ck_assert_str_eq(map_by("[fd00::2]=localhost", "[fd00::2]:10911"), "localhost:10911");
    ck_assert_str_eq(map_by("[fd00::2]:10911=[::1]:5", "fd00::2:10911"), "[::1]:5");
    ck_assert_str_eq(map_by("10.0.0.1=[::1]", "10.0.0.1:10911"), "[::1]:10911");
}
END_TEST

static bool by_function(const char *broker_name, int64_t broker_id, const char *advertised,
                        char *out, size_t out_bytes, void *arg)
{
    ck_assert_str_eq(broker_name, "broker-a");
    ck_assert_int_eq(broker_id, 1);
    ck_assert_str_eq(advertised, "10.0.0.1:10911");
    if (!arg) return false;
    snprintf(out, out_bytes, "%s", (const char *)arg);
    return true;
}

START_TEST(function_comes_first)
{
    mqc_client_options options = {.address_map = "10.0.0.1=table",
                                  .map_address = by_function,
                                  .map_address_arg = "function:7"};
    ck_assert_str_eq(map_with(&options, "10.0.0.1:10911"), "function:7");
    options.map_address_arg = NULL;
    ck_assert_str_eq(map_with(&options, "10.0.0.1:10911"), "table:10911");
    options.map_address_arg = "nonsense";
    ck_assert_ptr_nonnull(strstr(map_with(&options, "10.0.0.1:10911"),
                                 "map_address answered for broker broker-a (10.0.0.1:10911): "
                                 "address \"nonsense\": the port is missing"));
    options.map_address_arg = "";
    ck_assert_ptr_nonnull(strstr(map_with(&options, "10.0.0.1:10911"), "an address is empty"));
}
END_TEST

START_TEST(wrong_tables_are_refused)
{
    static const char *const wrong[] = {"",      " ; ",   "10.0.0.1", "=b",
                                        "a=",    "a=b=c", "a:x=b",    "a=b:70000",
                                        "a b=c", "::1=b", "[::1=b",   "http://a=b"};
    mqc_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(address_map_check(wrong[i], &error) == MQC_BAD_ARGUMENT, "%s", wrong[i]);
        ck_assert_ptr_nonnull(strstr(error.text, "brokerAddressMap (address_map)"));
        ck_assert_ptr_nonnull(strstr(error.text, "host or host:port"));
    }
    ck_assert_int_eq(address_map_check(NULL, &error), MQC_OK);
    ck_assert_int_eq(address_map_check("a=b;", &error), MQC_OK);
    ck_assert_int_eq(address_map_check("[::1]=b:1;a:2=[::2]:3", &error), MQC_OK);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("address_map");
    UNIT_CASE(suite, "map", without_a_map_addresses_stay, table_maps_hosts_and_addresses,
              table_maps_ipv6, function_comes_first, wrong_tables_are_refused);
    return suite;
}
TEST_MAIN(suite)
