/* chaos: see chaos.h. */
#include <stdio.h>
#include <string.h>

#include "test/chaos/ledger.h"

/* judge MODE TOPIC <JOURNAL: what the ledger says of a journal that was kept. */
static int judge(int count, char **arguments)
{
    char line[LINE_BYTES + 1];
    if (count < 2 || mode_of(arguments[0]) < 0) return 2;
    struct ledger *ledger = ledger_new((enum mode)mode_of(arguments[0]), arguments[1], stderr);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        ledger_line(ledger, line);
    }
    ledger_complain_of_missing(ledger, 20);
    ledger_print(ledger, stdout);
    bool good = ledger_counts(ledger).failures == 0;
    ledger_free(ledger);
    return good ? 0 : 1;
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "run") == 0) return run_main(count - 2, arguments + 2);
    if (count > 1 && strcmp(arguments[1], "member") == 0)
        return member_main(count - 2, arguments + 2);
    if (count > 1 && strcmp(arguments[1], "sender") == 0)
        return sender_main(count - 2, arguments + 2);
    if (count > 1 && strcmp(arguments[1], "judge") == 0) return judge(count - 2, arguments + 2);
    fprintf(stderr, "usage: chaos run NAME=VALUE…; the head of test/chaos/run.c lists the names\n");
    return 2;
}
