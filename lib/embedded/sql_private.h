/* The syntax tree that sql_parse.c makes and sql_filter.c walks; included by nobody else. */
#ifndef EMBEDDED_SQL_PRIVATE_H
#define EMBEDDED_SQL_PRIVATE_H

#include "lib/embedded/sql_filter.h"

enum sql_kind {
    SQL_NULL,
    SQL_BOOL,
    SQL_LONG,
    SQL_DOUBLE,
    SQL_STRING,
    SQL_PROPERTY,
    /* from here on the node's value is a truth value or unknown */
    SQL_OR,
    SQL_AND,
    SQL_NOT,
    SQL_EQUAL,
    SQL_LESS,
    SQL_LESS_EQUAL,
    SQL_GREATER,
    SQL_GREATER_EQUAL,
    SQL_IS_NULL,
    SQL_IN, /* left: the property; right: a chain of strings by their own `right` */
    SQL_CONTAINS,
    SQL_STARTS_WITH,
    SQL_ENDS_WITH
};

enum { SQL_NONE = -1, SQL_NODES_MAX = 4096, SQL_DEPTH_MAX = 100 };

struct sql_node {
    enum sql_kind kind;
    int left, right; /* indexes of nodes, or SQL_NONE */
    bool negated;    /* NOT IN, NOT CONTAINS, … */
    bool truth;
    int64_t whole;
    double real;
    struct slice text; /* of the filter's copy of the expression, quotes resolved */
};

struct sql_filter {
    char *expression;
    struct sql_node *nodes;
    size_t count, capacity;
    int root;
};

static inline bool sql_is_boolean(const struct sql_node *node)
{
    return node->kind == SQL_BOOL || node->kind >= SQL_OR;
}

#endif
