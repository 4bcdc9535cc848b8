/* Names and judgements of codes, generated from codes.def. Constant data; any thread, for logs,
 * error texts and the retry decision of the producers. */
#include "lib/protocol/codes.h"

const char *request_code_name(int32_t code)
{
    switch (code) {
#define REQUEST_CODE(name, value)                                                                  \
    case value:                                                                                    \
        return #name;
#define RESPONSE_CODE(name, value, judgement)
#include "lib/protocol/codes.def"
#undef REQUEST_CODE
#undef RESPONSE_CODE
    default: return "?";
    }
}

const char *response_code_name(int32_t code)
{
    switch (code) {
#define REQUEST_CODE(name, value)
#define RESPONSE_CODE(name, value, judgement)                                                      \
    case value:                                                                                    \
        return #name;
#include "lib/protocol/codes.def"
#undef REQUEST_CODE
#undef RESPONSE_CODE
    default: return "?";
    }
}

enum response_judgement response_judge(int32_t code)
{
    switch (code) {
#define REQUEST_CODE(name, value)
#define RESPONSE_CODE(name, value, judgement)                                                      \
    case value:                                                                                    \
        return JUDGE_##judgement;
#include "lib/protocol/codes.def"
#undef REQUEST_CODE
#undef RESPONSE_CODE
    default: return JUDGE_GIVE_UP;
    }
}
