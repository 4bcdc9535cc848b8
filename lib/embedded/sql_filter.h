/* SQL92 expressions over message properties (filter module's SelectorParser): =, <>, <, <=, >, >=,
 * BETWEEN, IN, IS NULL, CONTAINS, STARTSWITH, ENDSWITH, AND, OR, NOT, parentheses; numbers, strings
 * in quotes, TRUE, FALSE. Pure. */
#ifndef EMBEDDED_SQL_FILTER_H
#define EMBEDDED_SQL_FILTER_H

#include <mqclient/status.h>

#include "lib/base/slice.h"

struct sql_filter;

/* MQC_BAD_ARGUMENT names the place where the expression is wrong. */
mqc_status sql_filter_parse(struct slice expression, struct sql_filter **out, mqc_error *error);
void sql_filter_free(struct sql_filter *filter); /* NULL is fine */

/* Whether the expression is true; neither false nor unknown, which a property that is missing or
 * of another type makes of a comparison. */
bool sql_filter_accepts(const struct sql_filter *filter, struct slice properties);

#endif
