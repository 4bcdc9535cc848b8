/* The priority of messages: in topics that are made for it, a queue for each; elsewhere it hurts
 * nobody. (Whose consumers pop gets the highest first: that is the broker's doing.) */
#include "test/contract/admins.h"

static mqc_send_result send_with(mqc_producer *producer, const char *topic, int priority)
{
    mqc_error error;
    mqc_send_result result;
    mqc_message *message = mqc_message_new(topic, "x", 1);
    ck_ok(mqc_message_set_priority(message, priority, &error));
    ck_ok(mqc_producer_send(producer, message, NULL, &result, &error));
    mqc_message_free(message);
    return result;
}

START_TEST(test_priority_is_sent)
{
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    send_with(producer, topic, 3);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer =
        contract_consumer(&(mqc_push_consumer_options){.group = contract_name("readers"),
                                                       .listener = collector_listen,
                                                       .listener_arg = collector_seat(collector, 0),
                                                       .from = MQC_FROM_FIRST},
                          topic, "*");
    collector_await(collector, 1);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

START_TEST(test_priority_chooses_the_queue)
{
    mqc_error error;
    const char *topic = contract_name("urgent");
    mqc_admin *admin = admins_new();
    mqc_topic_options options = {.read_queues = 4, .write_queues = 4, .message_type = "PRIORITY"};
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, &options, &error));
    mqc_admin_free(admin);
    mqc_producer *producer = contract_producer(NULL);
    for (int priority = 0; priority < 4; priority++)
        ck_assert_int_eq(send_with(producer, topic, priority).queue.queue_id, priority);
    ck_assert_int_eq(send_with(producer, topic, 99).queue.queue_id, 3);
    mqc_producer_free(producer);
}
END_TEST

CONTRACT_MAIN("priority", test_priority_is_sent, test_priority_chooses_the_queue)
