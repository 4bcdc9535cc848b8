/* Request and response codes of the remoting protocol, from codes.def (RequestCode.java,
 * ResponseCode.java): one table for enum, names and the judgement of a broker's answer. */
#ifndef PROTOCOL_CODES_H
#define PROTOCOL_CODES_H

#include <stdbool.h>
#include <stdint.h>

enum request_code {
#define REQUEST_CODE(name, value) REQUEST_##name = value,
#define RESPONSE_CODE(name, value, judgement)
#include "lib/protocol/codes.def"
#undef REQUEST_CODE
#undef RESPONSE_CODE
};

enum response_code {
#define REQUEST_CODE(name, value)
#define RESPONSE_CODE(name, value, judgement) RESPONSE_##name = value,
#include "lib/protocol/codes.def"
#undef REQUEST_CODE
#undef RESPONSE_CODE
};

/* What a caller does with an answer's code; unknown codes are JUDGE_GIVE_UP. */
enum response_judgement {
    JUDGE_DONE,      /* accepted, also when it is not yet on disk or on the slave */
    JUDGE_RETRY,     /* the same request may work on another broker (Java's retry set) */
    JUDGE_RECONNECT, /* GO_AWAY: again, once, on a new connection */
    JUDGE_GIVE_UP    /* trying again does not help */
};

const char *request_code_name(int32_t code);  /* "SEND_MESSAGE_V2"; "?" when unknown */
const char *response_code_name(int32_t code); /* "TOPIC_NOT_EXIST"; "?" when unknown */
enum response_judgement response_judge(int32_t code);

#endif
