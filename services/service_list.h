/* The list of all services' threads of this process: service.c keeps it. */
#ifndef SERVICES_SERVICE_LIST_H
#define SERVICES_SERVICE_LIST_H

#include "services/service.h"

/* By the thread itself, when it begins and before it ends. */
void service_list_add(struct service *service);
void service_list_remove(struct service *service);

#endif
