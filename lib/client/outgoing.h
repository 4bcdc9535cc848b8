/* What happens to every request between the layer that makes it and the encoder: its names get
 * their namespace, it may be marked for unit mode, and the application's hooks see it. */
#ifndef CLIENT_OUTGOING_H
#define CLIENT_OUTGOING_H

#include <mqclient/client.h>

#include "services/remoting_client.h"

/* Sets the remoting client up, if the options ask for any of that; they outlive it. */
void outgoing_set_up(const mqc_client_options *options, struct remoting_client *remoting);

#endif
