// The commands of Peer that talk with the other side: transactions, which brokers ask about, and requests with replies.

import java.nio.charset.StandardCharsets;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

final class Conversation {
    static final String USAGE = """
        peer transact TOPIC GROUP COUNT commit|rollback|unknown|die [--check commit|rollback|unknown] [--wait N]
            sends "java I" in transactions, prints msgId, transactionId, state; "die" halts the process when the first
            half message is stored; --wait: ends after N checks, each printed as "checked", or a minute
        peer request TOPIC COUNT [--size N]
            prints the body and properties of the reply to each request "what I?", 20 s at most
        peer reply TOPIC GROUP COUNT
            answers COUNT requests with "Java: " and the request's body; says "consuming" as consume does
        """;
    private static final int WAIT_SECONDS = 60;
    private static final int API_TIMEOUT_MS = 30_000; // a busy machine is no failure

    private Conversation() {
    }

    static int transact(Deque<String> arguments) throws Exception {
        String topic = Peer.next(arguments, "TOPIC");
        String group = Peer.next(arguments, "GROUP");
        int count = Integer.parseInt(Peer.next(arguments, "COUNT"));
        String outcome = Peer.next(arguments, "the outcome");
        LocalTransactionState answer = LocalTransactionState.UNKNOW;
        int checks = 0;
        while (!arguments.isEmpty()) {
            String option = arguments.pop();
            switch (option) {
                case "--check" -> answer = stateOf(Peer.next(arguments, option));
                case "--wait" -> checks = Integer.parseInt(Peer.next(arguments, option));
                default -> throw new IllegalArgumentException("transact does not know " + option);
            }
        }
        CountDownLatch missing = new CountDownLatch(checks);
        TransactionMQProducer producer = new TransactionMQProducer(group, Peer.credentials(), List.of(topic));
        producer.setSendMsgTimeout(20_000);
        producer.setMqClientApiTimeout(API_TIMEOUT_MS);
        producer.setTransactionListener(new Outcome(outcome, answer, missing));
        producer.start();
        try {
            for (int i = 0; i < count; i++) {
                var result = producer.sendMessageInTransaction(new Message(topic, "java", "java-" + i, bytes("java " + i)), null);
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("msgId", result.getMsgId());
                line.put("transactionId", result.getTransactionId());
                line.put("state", result.getLocalTransactionState().name());
                Peer.printLine(line);
            }
            return missing.await(WAIT_SECONDS, TimeUnit.SECONDS) ? 0 : 1;
        } finally {
            producer.shutdown();
        }
    }

    private record Outcome(String outcome, LocalTransactionState answer, CountDownLatch missing)
        implements TransactionListener {
        @Override
        public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
            if (outcome.equals("die")) {
                Runtime.getRuntime().halt(137);
            }
            return stateOf(outcome);
        }

        @Override
        public LocalTransactionState checkLocalTransaction(MessageExt message) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("checked", message.getTransactionId());
            line.put("body", new String(message.getBody(), StandardCharsets.UTF_8));
            line.put("tags", message.getTags());
            Peer.printLine(line);
            missing.countDown();
            return answer;
        }
    }

    private static LocalTransactionState stateOf(String name) {
        return switch (name) {
            case "commit" -> LocalTransactionState.COMMIT_MESSAGE;
            case "rollback" -> LocalTransactionState.ROLLBACK_MESSAGE;
            case "unknown" -> LocalTransactionState.UNKNOW;
            default -> throw new IllegalArgumentException("a transaction is commit, rollback or unknown, not " + name);
        };
    }

    static int request(Deque<String> arguments) throws Exception {
        String topic = Peer.next(arguments, "TOPIC");
        int count = Integer.parseInt(Peer.next(arguments, "COUNT"));
        int size = 0;
        while (!arguments.isEmpty()) {
            String option = arguments.pop();
            if (!option.equals("--size")) {
                throw new IllegalArgumentException("request does not know " + option);
            }
            size = Integer.parseInt(Peer.next(arguments, option));
        }
        DefaultMQProducer producer = new DefaultMQProducer("java-requester", Peer.credentials());
        producer.setMqClientApiTimeout(API_TIMEOUT_MS);
        producer.start();
        try {
            for (int i = 0; i < count; i++) {
                String body = "what " + i + "?";
                Message reply = producer.request(new Message(topic, bytes(body + "x".repeat(Math.max(0, size - body.length())))),
                    20_000);
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("body", new String(reply.getBody(), StandardCharsets.UTF_8));
                line.put("topic", reply.getTopic());
                line.put("properties", reply.getProperties());
                Peer.printLine(line);
            }
        } finally {
            producer.shutdown();
        }
        return 0;
    }

    static int reply(Deque<String> arguments) throws Exception {
        String topic = Peer.next(arguments, "TOPIC");
        String group = Peer.next(arguments, "GROUP");
        CountDownLatch missing = new CountDownLatch(Integer.parseInt(Peer.next(arguments, "COUNT")));
        DefaultMQProducer producer = new DefaultMQProducer("java-replier", Peer.credentials());
        producer.setMqClientApiTimeout(API_TIMEOUT_MS);
        producer.start();
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group, Peer.credentials());
        consumer.setMqClientApiTimeout(API_TIMEOUT_MS);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setAwaitTerminationMillisWhenShutdown(5_000);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                try {
                    String body = "Java: " + new String(message.getBody(), StandardCharsets.UTF_8);
                    Message reply = MessageUtil.createReplyMessage(message, bytes(body));
                    Map<String, Object> line = new LinkedHashMap<>();
                    line.put("status", producer.send(reply, 20_000).getSendStatus().name());
                    line.put("requester", MessageUtil.getReplyToClient(message));
                    Peer.printLine(line);
                } catch (Exception e) {
                    System.err.println("peer: " + e);
                }
                missing.countDown();
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.setMessageQueueListener((changed, all, assigned) -> {
            if (changed.equals(topic) && !assigned.isEmpty()) {
                System.err.println("consuming");
            }
        });
        consumer.start();
        boolean complete = missing.await(WAIT_SECONDS, TimeUnit.SECONDS);
        consumer.shutdown();
        producer.shutdown();
        return complete ? 0 : 1;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
