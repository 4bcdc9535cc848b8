/* Everything a client of Apache RocketMQ needs. Link with -lmqclient. */
#ifndef MQCLIENT_H
#define MQCLIENT_H

#include <mqclient/admin.h>
#include <mqclient/admin_cluster.h>
#include <mqclient/admin_group.h>
#include <mqclient/admin_message.h>
#include <mqclient/batch.h>
#include <mqclient/client.h>
#include <mqclient/consumer.h>
#include <mqclient/hooks.h>
#include <mqclient/lite_consumer.h>
#include <mqclient/log.h>
#include <mqclient/message.h>
#include <mqclient/options.h>
#include <mqclient/producer.h>
#include <mqclient/pull_consumer.h>
#include <mqclient/request.h>
#include <mqclient/statistics.h>
#include <mqclient/status.h>
#include <mqclient/transaction.h>

#endif
