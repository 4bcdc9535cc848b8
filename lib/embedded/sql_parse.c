/* The parser of SQL92 expressions, by recursive descent along the grammar of SelectorParser.jj.
 * Pure; called for subscriptions and pulls. */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/embedded/sql_private.h"

enum token { END, NAME, STRING, LONG, DOUBLE, SYMBOL };

struct parser {
    struct sql_filter *filter;
    char *at; /* behind the present token */
    enum token token;
    struct slice text; /* of the present token; a string's without its quotes */
    int depth;
    bool failed;
    mqc_error *error;
    mqc_status status;
};

static int parse_or(struct parser *parser);
static int parse_unary(struct parser *parser);

/* ---- failing ---- */

static int fail(struct parser *parser, const char *what)
{
    if (!parser->failed)
        parser->status =
            error_set(parser->error, MQC_BAD_ARGUMENT, "SQL92 expression, near character %zu: %s",
                      (size_t)(parser->text.data - parser->filter->expression) + 1, what);
    parser->failed = true;
    return SQL_NONE;
}

static int add(struct parser *parser, struct sql_node node)
{
    struct sql_filter *filter = parser->filter;
    if (parser->failed) return SQL_NONE;
    if (filter->count >= SQL_NODES_MAX) return fail(parser, "the expression is too long");
    if (!memory_reserve(&filter->nodes, &filter->capacity, filter->count + 1,
                        sizeof *filter->nodes)) {
        parser->failed = true;
        parser->status = error_no_memory(parser->error);
        return SQL_NONE;
    }
    filter->nodes[filter->count] = node;
    return (int)filter->count++;
}

static int add_pair(struct parser *parser, enum sql_kind kind, int left, int right)
{
    return add(parser, (struct sql_node){.kind = kind, .left = left, .right = right});
}

static const struct sql_node *node_at(const struct parser *parser, int node)
{
    return &parser->filter->nodes[node];
}

/* ---- tokens ---- */

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static void take(struct parser *parser, enum token token, size_t size)
{
    parser->token = token;
    parser->text = slice_of(parser->at, size);
    parser->at += size;
}

/* '' inside stands for one quote: resolved in the filter's own copy of the text. */
static void take_string(struct parser *parser)
{
    char *begin = ++parser->at, *to = begin;
    for (;; parser->at++) {
        if (*parser->at == '\0') {
            parser->text = slice_of(begin, 0);
            fail(parser, "a quote is not closed");
            return;
        }
        if (*parser->at == '\'') {
            parser->at++;
            if (*parser->at != '\'') break;
        }
        *to++ = *parser->at;
    }
    parser->token = STRING;
    parser->text = slice_of(begin, (size_t)(to - begin));
}

static void take_number(struct parser *parser)
{
    const char *c = parser->at;
    bool real = false;
    while (isdigit((unsigned char)*c)) c++;
    if (*c == '.') {
        real = true;
        for (c++; isdigit((unsigned char)*c);) c++;
    }
    if (*c == 'E' || *c == 'e') {
        const char *digits = c + 1 + (c[1] == '+' || c[1] == '-');
        if (isdigit((unsigned char)*digits)) {
            real = true;
            for (c = digits; isdigit((unsigned char)*c);) c++;
        }
    }
    take(parser, real ? DOUBLE : LONG, (size_t)(c - parser->at));
    if (!real && (*c == 'l' || *c == 'L')) parser->at++;
}

static void next(struct parser *parser)
{
    while (*parser->at && strchr(" \t\r\n\f", *parser->at)) parser->at++;
    const char *c = parser->at;
    if (*c == '\0') {
        take(parser, END, 0);
    } else if (is_name_start(*c)) {
        while (is_name_start(*c) || isdigit((unsigned char)*c)) c++;
        take(parser, NAME, (size_t)(c - parser->at));
    } else if (*c == '\'') {
        take_string(parser);
    } else if (isdigit((unsigned char)*c) || (*c == '.' && isdigit((unsigned char)c[1]))) {
        take_number(parser);
    } else {
        bool two = (c[0] == '<' && (c[1] == '>' || c[1] == '=')) || (c[0] == '>' && c[1] == '=');
        take(parser, SYMBOL, two ? 2 : 1);
    }
}

static bool is_word(const struct parser *parser, const char *word)
{
    return parser->token == NAME && parser->text.size == strlen(word) &&
           strncasecmp(parser->text.data, word, parser->text.size) == 0;
}

static bool accept_word(struct parser *parser, const char *word)
{
    if (parser->failed || !is_word(parser, word)) return false;
    next(parser);
    return true;
}

static bool accept_symbol(struct parser *parser, const char *symbol)
{
    if (parser->failed || parser->token != SYMBOL || !slice_is(parser->text, symbol)) return false;
    next(parser);
    return true;
}

/* ---- operands ---- */

static bool is_keyword(const struct parser *parser)
{
    static const char *const words[] = {"NOT", "AND",      "OR",         "BETWEEN", "IN",
                                        "IS",  "CONTAINS", "STARTSWITH", "ENDSWITH"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(parser, words[i])) return true;
    return false;
}

static int parse_literal(struct parser *parser)
{
    struct sql_node node = {.kind = SQL_NULL, .left = SQL_NONE, .right = SQL_NONE};
    if (is_word(parser, "TRUE") || is_word(parser, "FALSE")) {
        node.kind = SQL_BOOL;
        node.truth = is_word(parser, "TRUE");
    } else if (parser->token == STRING) {
        node.kind = SQL_STRING;
        node.text = parser->text;
    } else if (parser->token == LONG) {
        node.kind = SQL_LONG;
        if (!slice_to_int64(parser->text, &node.whole))
            return fail(parser, "the number is too large");
    } else if (parser->token == DOUBLE) {
        node.kind = SQL_DOUBLE;
        node.real = strtod(parser->text.data, NULL);
    } else if (parser->token == NAME && !is_word(parser, "NULL")) {
        if (is_keyword(parser)) return fail(parser, "a value is missing before this word");
        node.kind = SQL_PROPERTY;
        node.text = parser->text;
    } else if (parser->token != NAME) {
        return fail(parser, "a value, a property or ( is needed");
    }
    next(parser);
    return add(parser, node);
}

static int parse_negative(struct parser *parser)
{
    int operand = parse_unary(parser);
    if (parser->failed) return SQL_NONE;
    struct sql_node *node = &parser->filter->nodes[operand];
    if (node->kind == SQL_LONG && node->whole != INT64_MIN)
        node->whole = -node->whole;
    else if (node->kind == SQL_DOUBLE)
        node->real = -node->real;
    else
        return fail(parser, "only a number can be negative");
    return operand;
}

static int parse_unary(struct parser *parser)
{
    int node;
    if (parser->failed) return SQL_NONE;
    if (++parser->depth > SQL_DEPTH_MAX) return fail(parser, "nested too deeply");
    if (accept_symbol(parser, "+")) {
        node = parse_unary(parser);
    } else if (accept_symbol(parser, "-")) {
        node = parse_negative(parser);
    } else if (accept_word(parser, "NOT")) {
        int operand = parse_unary(parser);
        node = add_pair(parser, SQL_NOT, operand, SQL_NONE);
    } else if (accept_symbol(parser, "(")) {
        node = parse_or(parser);
        if (!accept_symbol(parser, ")")) node = fail(parser, ") is missing");
    } else {
        node = parse_literal(parser);
    }
    parser->depth--;
    return node;
}

/* ---- operators ---- */

/* ComparisonExpression.checkLessThanOperand: constants in an order must be numbers. */
static bool check_ordered(struct parser *parser, int operand)
{
    if (parser->failed) return false;
    enum sql_kind kind = node_at(parser, operand)->kind;
    if (kind == SQL_LONG || kind == SQL_DOUBLE || kind == SQL_PROPERTY) return true;
    fail(parser, "only numbers and properties can be compared by <, >, <=, >= and BETWEEN");
    return false;
}

static int compare(struct parser *parser, enum sql_kind kind, int left)
{
    int right = parse_unary(parser);
    if (!check_ordered(parser, left) || !check_ordered(parser, right)) return SQL_NONE;
    return add_pair(parser, kind, left, right);
}

static double number_of(const struct sql_node *node)
{
    return node->kind == SQL_LONG ? (double)node->whole : node->real;
}

static int between(struct parser *parser, int left, bool negated)
{
    int low = parse_unary(parser);
    if (!accept_word(parser, "AND")) return fail(parser, "AND is missing after BETWEEN");
    int high = parse_unary(parser);
    if (!check_ordered(parser, left) || !check_ordered(parser, low) || !check_ordered(parser, high))
        return SQL_NONE;
    const struct sql_node *a = node_at(parser, low), *b = node_at(parser, high);
    if (a->kind != SQL_PROPERTY && b->kind != SQL_PROPERTY && number_of(a) > number_of(b))
        return fail(parser, "BETWEEN needs the smaller number first");
    int over = add_pair(parser, negated ? SQL_LESS : SQL_GREATER_EQUAL, left, low);
    int under = add_pair(parser, negated ? SQL_GREATER : SQL_LESS_EQUAL, left, high);
    return add_pair(parser, negated ? SQL_OR : SQL_AND, over, under);
}

static int parse_string(struct parser *parser)
{
    if (parser->failed || parser->token != STRING) return fail(parser, "a quoted text is needed");
    return parse_literal(parser);
}

static int in_list(struct parser *parser, int left, bool negated)
{
    if (parser->failed || node_at(parser, left)->kind != SQL_PROPERTY)
        return fail(parser, "IN needs a property before it");
    if (!accept_symbol(parser, "(")) return fail(parser, "( is missing after IN");
    int first = parse_string(parser), last = first;
    while (accept_symbol(parser, ",")) {
        int member = parse_string(parser);
        if (parser->failed) return SQL_NONE;
        parser->filter->nodes[last].right = member;
        last = member;
    }
    if (!accept_symbol(parser, ")")) return fail(parser, ") is missing after IN's list");
    return add(parser,
               (struct sql_node){.kind = SQL_IN, .left = left, .right = first, .negated = negated});
}

static int text_test(struct parser *parser, enum sql_kind kind, int left, bool negated)
{
    int text = parse_string(parser);
    return add(parser,
               (struct sql_node){.kind = kind, .left = left, .right = text, .negated = negated});
}

/* The operators that may follow NOT; false when none does. */
static bool parse_negatable(struct parser *parser, int *left, bool negated)
{
    if (accept_word(parser, "BETWEEN"))
        *left = between(parser, *left, negated);
    else if (accept_word(parser, "IN"))
        *left = in_list(parser, *left, negated);
    else if (accept_word(parser, "CONTAINS"))
        *left = text_test(parser, SQL_CONTAINS, *left, negated);
    else if (accept_word(parser, "STARTSWITH"))
        *left = text_test(parser, SQL_STARTS_WITH, *left, negated);
    else if (accept_word(parser, "ENDSWITH"))
        *left = text_test(parser, SQL_ENDS_WITH, *left, negated);
    else
        return false;
    return true;
}

static int parse_comparison(struct parser *parser)
{
    int left = parse_unary(parser);
    while (!parser->failed) {
        if (accept_symbol(parser, ">"))
            left = compare(parser, SQL_GREATER, left);
        else if (accept_symbol(parser, ">="))
            left = compare(parser, SQL_GREATER_EQUAL, left);
        else if (accept_symbol(parser, "<"))
            left = compare(parser, SQL_LESS, left);
        else if (accept_symbol(parser, "<="))
            left = compare(parser, SQL_LESS_EQUAL, left);
        else if (accept_word(parser, "NOT")) {
            if (!parse_negatable(parser, &left, true))
                return fail(parser, "BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH is needed");
        } else if (!parse_negatable(parser, &left, false))
            break;
    }
    return left;
}

static int parse_equality(struct parser *parser)
{
    int left = parse_comparison(parser);
    while (!parser->failed) {
        if (accept_word(parser, "IS")) {
            bool negated = accept_word(parser, "NOT");
            if (!accept_word(parser, "NULL")) return fail(parser, "NULL is missing after IS");
            left = add_pair(parser, SQL_IS_NULL, left, SQL_NONE);
            if (negated) left = add_pair(parser, SQL_NOT, left, SQL_NONE);
            continue;
        }
        bool unequal = parser->token == SYMBOL && slice_is(parser->text, "<>");
        if (!accept_symbol(parser, "=") && !accept_symbol(parser, "<>")) break;
        int right = parse_comparison(parser);
        left = add_pair(parser, SQL_EQUAL, left, right);
        if (unequal) left = add_pair(parser, SQL_NOT, left, SQL_NONE);
    }
    return left;
}

static int parse_and(struct parser *parser)
{
    int left = parse_equality(parser);
    while (accept_word(parser, "AND")) {
        int right = parse_equality(parser);
        left = add_pair(parser, SQL_AND, left, right);
    }
    return left;
}

static int parse_or(struct parser *parser)
{
    int left = parse_and(parser);
    while (accept_word(parser, "OR")) {
        int right = parse_and(parser);
        left = add_pair(parser, SQL_OR, left, right);
    }
    return left;
}

mqc_status sql_filter_parse(struct slice expression, struct sql_filter **out, mqc_error *error)
{
    *out = NULL;
    struct sql_filter *filter = memory_allocate_zero(1, sizeof *filter);
    if (!filter) return error_no_memory(error);
    filter->expression = slice_duplicate(expression.data ? expression : SLICE_LITERAL(""));
    struct parser parser = {
        .filter = filter, .at = filter->expression, .error = error, .status = MQC_OK};
    if (!filter->expression) {
        sql_filter_free(filter);
        return error_no_memory(error);
    }
    next(&parser);
    filter->root = parse_or(&parser);
    if (!parser.failed && parser.token != END) fail(&parser, "an operator is missing");
    if (parser.failed) {
        sql_filter_free(filter);
        return parser.status;
    }
    *out = filter;
    return MQC_OK;
}
