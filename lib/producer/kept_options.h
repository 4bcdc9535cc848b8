/* Options that outlive the call they were given to: the same struct with copies of its texts. */
#ifndef PRODUCER_KEPT_OPTIONS_H
#define PRODUCER_KEPT_OPTIONS_H

#include "lib/client/option_table.h"

/* Replaces the texts of an options struct of this role by copies. On failure (no memory) the texts
 * are NULL and there is nothing to release. */
mqc_status kept_options_copy(enum option_role role, void *options, mqc_error *error);
void kept_options_free(enum option_role role, void *options);

#endif
