/* chaos: see chaos.h. */
#include <stdio.h>
#include <string.h>

#include "test/chaos/chaos.h"

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "run") == 0) return run_main(count - 2, arguments + 2);
    if (count > 1 && strcmp(arguments[1], "member") == 0)
        return member_main(count - 2, arguments + 2);
    if (count > 1 && strcmp(arguments[1], "sender") == 0)
        return sender_main(count - 2, arguments + 2);
    fprintf(stderr, "usage: chaos run NAME=VALUE…; the head of test/chaos/run.c lists the names\n");
    return 2;
}
