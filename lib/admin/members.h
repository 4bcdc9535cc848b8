/* Questions about a group's members that other calls of the admin API ask too. */
#ifndef ADMIN_MEMBERS_H
#define ADMIN_MEMBERS_H

#include <mqclient/admin_group.h>

/* Nobody online leaves the result empty. */
mqc_status members_ask(struct mqc_admin *admin, const char *group, mqc_group_members *members,
                       mqc_error *error);
/* Fills a fresh result. */
mqc_status members_running_info(struct mqc_admin *admin, const char *group, const char *client_id,
                                bool with_stacks, mqc_running_info *info, mqc_error *error);

/* How far a group is, without its owners; nothing known leaves the result empty. progress.c */
mqc_status progress_ask(struct mqc_admin *admin, const char *group, const char *topic,
                        mqc_group_progress *progress, mqc_error *error);

#endif
