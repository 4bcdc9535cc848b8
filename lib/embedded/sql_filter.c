/* The value of an SQL92 expression for a message's properties, with three truth values, and with
 * Java's ways of comparing texts with numbers (ComparisonExpression.java). Pure. */
#include "lib/embedded/sql_filter.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/embedded/sql_private.h"
#include "lib/protocol/java_text.h"
#include "lib/protocol/properties.h"

/* FAILED is Java's exception: a text that is no number ends the whole evaluation. */
enum value_kind { UNKNOWN, TRUTH, LONG, DOUBLE, TEXT, FAILED };

struct value {
    enum value_kind kind;
    bool truth;
    int64_t whole;
    double real;
    struct slice text;
};

struct evaluation {
    const struct sql_filter *filter;
    struct slice properties;
};

static struct value evaluate(const struct evaluation *evaluation, int node);

static struct value truth(bool is_true)
{
    return (struct value){.kind = TRUTH, .truth = is_true};
}

void sql_filter_free(struct sql_filter *filter)
{
    if (!filter) return;
    memory_free(filter->nodes);
    memory_free(filter->expression);
    memory_free(filter);
}

bool sql_filter_accepts(const struct sql_filter *filter, struct slice properties)
{
    struct evaluation evaluation = {filter, properties};
    struct value value = evaluate(&evaluation, filter->root);
    return value.kind == TRUTH && value.truth;
}

/* ---- comparing ---- */

static bool text_to_double(struct slice text, double *out)
{
    char number[64];
    text = slice_trim(text);
    if (text.size == 0 || text.size >= sizeof number) return false;
    memcpy(number, text.data, text.size);
    number[text.size] = '\0';
    char *end;
    *out = strtod(number, &end);
    return *end == '\0';
}

/* Makes a text what it is compared with; false is Java's NumberFormatException. */
static bool convert(struct value *value, enum value_kind to)
{
    if (value->kind != TEXT) return true;
    value->kind = to;
    switch (to) {
    case TRUTH: value->truth = slice_to_bool(value->text); return true;
    case LONG: return slice_to_int64(value->text, &value->whole);
    case DOUBLE: return text_to_double(value->text, &value->real);
    default: value->kind = TEXT; return true;
    }
}

static int order(double a, double b)
{
    return (a > b) - (a < b);
}

/* Comparable.compareTo once both are of one kind; kinds that do not fit are "less". */
static int compare(const struct value *a, const struct value *b)
{
    if (a->kind == LONG && b->kind == LONG) return (a->whole > b->whole) - (a->whole < b->whole);
    if (a->kind == TEXT && b->kind == TEXT) return java_compare(a->text, b->text);
    if (a->kind == TRUTH && b->kind == TRUTH) return a->truth - b->truth;
    if ((a->kind == LONG || a->kind == DOUBLE) && (b->kind == LONG || b->kind == DOUBLE))
        return order(a->kind == LONG ? (double)a->whole : a->real,
                     b->kind == LONG ? (double)b->whole : b->real);
    return -1;
}

static bool holds(enum sql_kind kind, int result)
{
    switch (kind) {
    case SQL_EQUAL: return result == 0;
    case SQL_LESS: return result < 0;
    case SQL_LESS_EQUAL: return result <= 0;
    case SQL_GREATER: return result > 0;
    default: return result >= 0;
    }
}

static struct value compare_nodes(const struct evaluation *evaluation, const struct sql_node *node)
{
    struct value left = evaluate(evaluation, node->left);
    struct value right = evaluate(evaluation, node->right);
    if (left.kind == FAILED || right.kind == FAILED) return (struct value){.kind = FAILED};
    if (node->kind == SQL_EQUAL && left.kind == UNKNOWN && right.kind == UNKNOWN)
        return truth(true);
    if (left.kind == UNKNOWN) return (struct value){0};
    if (right.kind == UNKNOWN) return node->kind == SQL_EQUAL ? truth(false) : (struct value){0};
    if (!convert(&left, right.kind) || !convert(&right, left.kind))
        return (struct value){.kind = FAILED};
    return truth(holds(node->kind, compare(&left, &right)));
}

/* ---- texts ---- */

static bool contains(struct slice text, struct slice part)
{
    return part.size <= text.size && memmem(text.data, text.size, part.data, part.size) != NULL;
}

static struct value test_text(const struct evaluation *evaluation, const struct sql_node *node)
{
    struct slice part = evaluation->filter->nodes[node->right].text;
    struct value left = evaluate(evaluation, node->left);
    if (left.kind == FAILED) return left;
    if (part.size == 0 || left.kind != TEXT) return truth(false);
    struct slice text = left.text;
    bool found = false;
    if (node->kind == SQL_CONTAINS)
        found = contains(text, part);
    else if (part.size <= text.size)
        found =
            memcmp(node->kind == SQL_STARTS_WITH ? text.data : text.data + text.size - part.size,
                   part.data, part.size) == 0;
    return truth(found != node->negated);
}

static struct value test_in(const struct evaluation *evaluation, const struct sql_node *node)
{
    struct value left = evaluate(evaluation, node->left);
    if (left.kind != TEXT) return left.kind == FAILED ? left : (struct value){0};
    bool found = false;
    for (int member = node->right; member != SQL_NONE && !found;
         member = evaluation->filter->nodes[member].right)
        found = slice_equal(evaluation->filter->nodes[member].text, left.text);
    return truth(found != node->negated);
}

/* ---- logic ---- */

/* UnaryExpression.createBooleanCast: what is no truth value is false. */
static struct value as_truth(struct value value)
{
    if (value.kind == UNKNOWN || value.kind == TRUTH || value.kind == FAILED) return value;
    return truth(false);
}

static struct value combine(const struct evaluation *evaluation, const struct sql_node *node)
{
    bool deciding = node->kind == SQL_OR;
    struct value left = as_truth(evaluate(evaluation, node->left));
    if (left.kind == FAILED || (left.kind == TRUTH && left.truth == deciding)) return left;
    struct value right = as_truth(evaluate(evaluation, node->right));
    if (right.kind == FAILED || (right.kind == TRUTH && right.truth == deciding)) return right;
    if (left.kind == UNKNOWN || right.kind == UNKNOWN) return (struct value){0};
    return truth(!deciding);
}

static struct value negate(const struct evaluation *evaluation, const struct sql_node *node)
{
    struct value value = as_truth(evaluate(evaluation, node->left));
    if (value.kind == TRUTH) value.truth = !value.truth;
    return value;
}

static struct value evaluate(const struct evaluation *evaluation, int index)
{
    const struct sql_node *node = &evaluation->filter->nodes[index];
    struct value value = {.kind = UNKNOWN};
    switch (node->kind) {
    case SQL_NULL: return value;
    case SQL_BOOL: return truth(node->truth);
    case SQL_LONG: return (struct value){.kind = LONG, .whole = node->whole};
    case SQL_DOUBLE: return (struct value){.kind = DOUBLE, .real = node->real};
    case SQL_STRING: return (struct value){.kind = TEXT, .text = node->text};
    case SQL_PROPERTY: {
        char name[256];
        if (node->text.size >= sizeof name) return value;
        memcpy(name, node->text.data, node->text.size);
        name[node->text.size] = '\0';
        value.text = properties_find(evaluation->properties, name);
        value.kind = value.text.data ? TEXT : UNKNOWN;
        return value;
    }
    case SQL_OR:
    case SQL_AND: return combine(evaluation, node);
    case SQL_NOT: return negate(evaluation, node);
    case SQL_EQUAL:
    case SQL_LESS:
    case SQL_LESS_EQUAL:
    case SQL_GREATER:
    case SQL_GREATER_EQUAL: return compare_nodes(evaluation, node);
    case SQL_IS_NULL:
        value = evaluate(evaluation, node->left);
        return value.kind == FAILED ? value : truth(value.kind == UNKNOWN);
    case SQL_IN: return test_in(evaluation, node);
    case SQL_CONTAINS:
    case SQL_STARTS_WITH:
    case SQL_ENDS_WITH: return test_text(evaluation, node);
    }
    return value;
}
