/* mqc statistics: the figures that clients keep, from the library's table; with --markdown (not
 * shown in the help) docs/statistics.md is written. */
#include <stdio.h>
#include <string.h>

#include "tools/mqc.h"
#include "tools/output.h"

static const char NAME[] = "statistics";
static const char *const KINDS[] = {
    [MQC_STAT_COUNTER] = "counter", [MQC_STAT_GAUGE] = "gauge", [MQC_STAT_LATENCY] = "latency"};

static bool print_line(const mqc_stat_description *figure, void *arg)
{
    const char **of = arg;
    if (!*of || strcmp(*of, figure->of) != 0) printf("%s%s:\n", *of ? "\n" : "", figure->of);
    *of = figure->of;
    printf("  %s (%s%s%s%s%s)\n      %s\n", figure->name, KINDS[figure->kind],
           figure->unit[0] ? " of " : "", figure->unit, figure->labels[0] ? ", by " : "",
           figure->labels, figure->help);
    return true;
}

static bool print_row(const mqc_stat_description *figure, void *arg)
{
    static const char *const ENDS[] = {
        [MQC_STAT_COUNTER] = "_total", [MQC_STAT_GAUGE] = "", [MQC_STAT_LATENCY] = "_seconds"};
    const char **of = arg;
    if (!*of || strcmp(*of, figure->of) != 0)
        printf("\n## Of a %s\n\n| Name | In Prometheus | Kind | By | Meaning "
               "|\n|---|---|---|---|---|\n",
               figure->of);
    *of = figure->of;
    printf("| `%s` | `mqclient_%s%s` | %s%s%s | %s | %s |\n", figure->name, figure->name,
           ENDS[figure->kind], KINDS[figure->kind], figure->unit[0] ? ", " : "", figure->unit,
           figure->labels, figure->help);
    return true;
}

static const char MARKDOWN_INTRODUCTION[] =
    "# Statistics\n"
    "\n"
    "<!-- Made by `mqc statistics --markdown` from lib/stats/statistics.def: change that. -->\n"
    "\n"
    "Every client counts what it does and measures how long that takes. Counting is always on; it\n"
    "costs some 25 ns a message and no memory but for the first message of a queue. There\n"
    "are four ways to it, all with the same figures (`mqclient/statistics.h`):\n"
    "\n"
    "- `mqc_producer_stats`, `mqc_push_consumer_stats` and `mqc_lite_consumer_stats` give a copy "
    "of\n"
    "  one moment, to be walked by `mqc_stats_at`, or added up: `mqc_stats_total`.\n"
    "- `mqc_stats_json` and `mqc_stats_prometheus` turn one into text.\n"
    "- `stats_listener` in `mqc_client_options` is called at every `stats_interval_ms` with the\n"
    "  figures of a client and all its producers and consumers, and the same as JSON.\n"
    "- `mqc send` and `mqc consume` serve `http://127.0.0.1:PORT/metrics` for Prometheus with\n"
    "  `--metrics PORT`.\n"
    "\n"
    "```c\n"
    "mqc_stats *stats = mqc_producer_stats(producer, &error);\n"
    "mqc_stat sent, latency;\n"
    "mqc_stats_total(stats, \"sent_messages\", NULL, \"orders\", NULL, &sent, NULL);\n"
    "mqc_stats_total(stats, \"send_latency\", NULL, NULL, \"broker-a\", &latency, NULL);\n"
    "printf(\"%.0f/s, 99%% within %lld us\\n\", sent.per_second, (long "
    "long)latency.latency.p99_us);\n"
    "mqc_stats_free(stats);\n"
    "```\n"
    "\n"
    "A counter only grows; `per_second` is its rate over the last minute, or since the client "
    "began.\n"
    "A gauge says how much there is now. A latency has `count`, `sum_us` and `max_us`, and the\n"
    "percentiles 50, 90, 99 and 99.9, which are wrong by 3 % at most; for Prometheus it is a "
    "summary\n"
    "in seconds, and its quantile 1 is the longest. All begin with the client, and none is reset.\n"
    "\n"
    "Each figure has the client's id and, but for those of connections, the group; what else it "
    "is\n"
    "divided by stands in the tables. Queue -1 and broker \"\" stand for none: a send that failed "
    "has\n"
    "no queue, a popping consumer takes what a broker gives it. Counters of a queue stay when the\n"
    "queue goes to another member; its gauges go with it.\n"
    "\n"
    "As JSON:\n"
    "\n"
    "```json\n"
    "{\"unix_ms\": 1795464000000,\n"
    " \"figures\": [\n"
    "  {\"name\": \"sent_messages\", \"client\": \"10.0.0.7@12#5f\", \"group\": \"shop\", "
    "\"topic\": \"orders\",\n"
    "   \"broker\": \"broker-a\", \"queue\": 0, \"value\": 1200, \"per_second\": 20.0},\n"
    "  {\"name\": \"send_latency\", \"client\": \"10.0.0.7@12#5f\", \"group\": \"shop\", "
    "\"topic\": \"orders\",\n"
    "   \"broker\": \"broker-a\", \"count\": 1200, \"sum_us\": 540000, \"p50_us\": 412, "
    "\"p90_us\": 608,\n"
    "   \"p99_us\": 1184, \"p999_us\": 3264, \"max_us\": 4100}],\n"
    " \"rebalances\": [\n"
    "  {\"unix_ms\": 1795463990000, \"group\": \"shop\", \"topic\": \"orders\", \"queues\": 8, "
    "\"mine\": 4,\n"
    "   \"gained\": 4, \"lost\": 0}]}\n"
    "```\n"
    "\n"
    "Members that do not apply are left out. `rebalances` has the last 32 divisions that changed\n"
    "which queues are a consumer's.\n";

int statistics_command(int argc, char **argv)
{
    const char *of = NULL;
    if (argc == 1) {
        mqc_stats_describe(print_line, &of);
    } else if (argc == 2 && strcmp(argv[1], "--markdown") == 0) {
        fputs(MARKDOWN_INTRODUCTION, stdout);
        mqc_stats_describe(print_row, &of);
    } else if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        puts("usage: mqc statistics\nLists the figures that clients keep of themselves.");
    } else {
        return usage_error(NAME, "unexpected argument \"%s\"", argv[1]);
    }
    return output_finish(NAME);
}
