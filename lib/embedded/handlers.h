/* Every request the cluster understands: one table, handlers.def, of codes and the functions that
 * handle them. A handler gets a request of its code, on the I/O thread, under the cluster's lock.
 */
#ifndef EMBEDDED_HANDLERS_H
#define EMBEDDED_HANDLERS_H

#include "lib/embedded/request.h"

#define NAME_SERVER(code, function) void function(struct request *request);
#define BROKER(code, function)      void function(struct request *request);
#include "lib/embedded/handlers.def"
#undef NAME_SERVER
#undef BROKER

#endif
