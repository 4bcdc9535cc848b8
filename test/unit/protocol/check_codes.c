/* Tests of lib/protocol/codes.c. */
#include "lib/protocol/codes.h"

#include "test/unit/unit.h"

START_TEST(names_of_requests)
{
    ck_assert_str_eq(request_code_name(310), "SEND_MESSAGE_V2");
    ck_assert_str_eq(request_code_name(REQUEST_POP_MESSAGE), "POP_MESSAGE");
    ck_assert_int_eq(REQUEST_POP_MESSAGE, 200050);
    ck_assert_str_eq(request_code_name(0), "?");
    ck_assert_str_eq(request_code_name(-1), "?");
}
END_TEST

START_TEST(names_of_responses)
{
    ck_assert_str_eq(response_code_name(0), "SUCCESS");
    ck_assert_str_eq(response_code_name(17), "TOPIC_NOT_EXIST");
    ck_assert_str_eq(response_code_name(-1006), "RPC_TIME_OUT");
    ck_assert_str_eq(response_code_name(310), "?");
}
END_TEST

/* The retry set of DefaultMQProducer.java, and what counts as sent. */
START_TEST(judgements)
{
    static const int32_t done[] = {0, 10, 11, 12}, retry[] = {17, 14, 1, 2, 16, 204, 205};
    for (int32_t code = -2000; code < 5000; code++) {
        enum response_judgement expected = JUDGE_GIVE_UP;
        for (size_t i = 0; i < sizeof done / sizeof *done; i++)
            if (code == done[i]) expected = JUDGE_DONE;
        for (size_t i = 0; i < sizeof retry / sizeof *retry; i++)
            if (code == retry[i]) expected = JUDGE_RETRY;
        if (code == 1500) expected = JUDGE_RECONNECT;
        ck_assert_msg(response_judge(code) == expected, "code %d", (int)code);
    }
}
END_TEST

static Suite *codes_suite(void)
{
    Suite *suite = suite_create("codes");
    UNIT_CASE(suite, "codes", names_of_requests, names_of_responses, judgements);
    return suite;
}

TEST_MAIN(codes_suite)
