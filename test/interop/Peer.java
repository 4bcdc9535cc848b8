// The Java client of RocketMQ 5.5.0 as the other end of interoperation tests: sends or consumes messages, one JSON line
// each on standard output. Started by the script "peer" beside it.

import com.alibaba.fastjson2.JSON;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.compression.CompressionType;
import org.apache.rocketmq.common.compression.CompressorFactory;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.RPCHook;

public final class Peer {
    private static final String USAGE = """
        peer COMMAND... [-- COMMAND...]...
            one after the other, until one fails
        peer send TOPIC COUNT [--tag T] [--keys K] [--property k=v]... [--body-size N | --body TEXT]
                  [--compress zlib|lz4|zstd] [--utf8] [--delay LEVEL] [--delay-ms MS] [--order-key KEY] [--batch]
            prints msgId, offsetMsgId, queueId, queueOffset, status of each; body "message I" when none is given;
            with --batch all in one, and one line with lists of ids
        peer recall TOPIC HANDLE
            takes a message with a delay back, and prints its id
        peer consume TOPIC GROUP COUNT [--tag EXPRESSION] [--timeout SECONDS] [--from first|last] [--refuse]
            prints each message; exit code 0 when COUNT arrived, 1 on timeout (30 s); with --refuse each is
            refused when it comes the first time;
            says "consuming" on standard error whenever its share of the topic's queues changes
        """;
    private static final int BUSY_MACHINE_MS = 60_000;
    private static final String UTF8_TEXT = "gr\u00fc\u00dfe \u6d88\u606f \ud83d\ude80 ";

    public static void main(String[] args) {
        int status = 0;
        Deque<String> arguments = new ArrayDeque<>(List.of(args));
        do {
            Deque<String> command = new ArrayDeque<>();
            while (!arguments.isEmpty() && !arguments.peek().equals("--")) {
                command.add(arguments.pop());
            }
            arguments.poll();
            status = run(command);
        } while (status == 0 && !arguments.isEmpty());
        System.out.flush();
        System.exit(status);
    }

    private static int run(Deque<String> arguments) {
        String command = arguments.isEmpty() ? "" : arguments.pop();
        try {
            switch (command) {
                case "send":
                    return new Sender(arguments).run();
                case "recall":
                    return recall(next(arguments, "TOPIC"), next(arguments, "HANDLE"));
                case "consume":
                    return new Receiver(arguments).run();
                case "transact":
                    return Conversation.transact(arguments);
                case "request":
                    return Conversation.request(arguments);
                case "reply":
                    return Conversation.reply(arguments);
                default:
                    System.err.print(USAGE + Conversation.USAGE);
                    return 2;
            }
        } catch (IllegalArgumentException e) {
            System.err.println("peer: " + e.getMessage());
            System.err.print(USAGE + Conversation.USAGE);
            return 2;
        } catch (Exception e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                System.err.println("peer: " + cause);
            }
            return 1;
        }
    }

    private static int recall(String topic, String handle) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("java-peer", credentials());
        producer.setMqClientApiTimeout(BUSY_MACHINE_MS);
        producer.setSendMsgTimeout(BUSY_MACHINE_MS);
        producer.start();
        try {
            System.out.println(producer.recallMessage(topic, handle));
        } finally {
            producer.shutdown();
        }
        return 0;
    }

    private static final class Sender {
        private final String topic;
        private final int count;
        private final Map<String, String> properties = new LinkedHashMap<>();
        private String tag;
        private String keys;
        private String body;
        private int bodySize = -1;
        private int delayLevel;
        private long delayMs;
        private String orderKey;
        private boolean batch;
        private CompressionType compression;
        private boolean utf8;

        Sender(Deque<String> arguments) {
            topic = next(arguments, "TOPIC");
            count = Integer.parseInt(next(arguments, "COUNT"));
            while (!arguments.isEmpty()) {
                String option = arguments.pop();
                switch (option) {
                    case "--tag" -> tag = next(arguments, option);
                    case "--keys" -> keys = next(arguments, option);
                    case "--body" -> body = next(arguments, option);
                    case "--body-size" -> bodySize = Integer.parseInt(next(arguments, option));
                    case "--compress" -> compression = compressionOf(next(arguments, option));
                    case "--delay" -> delayLevel = Integer.parseInt(next(arguments, option));
                    case "--delay-ms" -> delayMs = Long.parseLong(next(arguments, option));
                    case "--order-key" -> orderKey = next(arguments, option);
                    case "--batch" -> batch = true;
                    case "--utf8" -> utf8 = true;
                    case "--property" -> addProperty(next(arguments, option));
                    default -> throw new IllegalArgumentException("send does not know " + option);
                }
            }
        }

        int run() throws Exception {
            DefaultMQProducer producer = new DefaultMQProducer("java-peer", credentials());
            producer.setMqClientApiTimeout(BUSY_MACHINE_MS);
            enterNamespace(producer);
            producer.setCompressMsgBodyOverHowmuch(compression == null ? Integer.MAX_VALUE : 1);
            if (compression != null) {
                producer.setCompressType(compression);
            }
            producer.start();
            try {
                List<Message> messages = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    messages.add(message(i));
                }
                if (batch) {
                    print(producer.send(messages, BUSY_MACHINE_MS));
                    return 0;
                }
                for (Message message : messages) {
                    print(orderKey == null ? producer.send(message, BUSY_MACHINE_MS)
                        : producer.send(message, new SelectMessageQueueByHash(), orderKey, BUSY_MACHINE_MS));
                }
            } finally {
                producer.shutdown();
            }
            return 0;
        }

        private Message message(int index) {
            Message message = new Message(topic, tag, keys, bodyOf(index));
            properties.forEach(message::putUserProperty);
            if (utf8) {
                message.putUserProperty("utf8", UTF8_TEXT.strip());
            }
            if (delayLevel > 0) {
                message.setDelayTimeLevel(delayLevel);
            }
            if (delayMs > 0) {
                message.setDelayTimeMs(delayMs);
            }
            return message;
        }

        private byte[] bodyOf(int index) {
            String text = (utf8 ? UTF8_TEXT : "") + (body != null ? body : "message " + index);
            if (bodySize > text.length()) {
                text = (text + " ").repeat(bodySize / text.length() + 1);
            }
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return bodySize > 0 ? java.util.Arrays.copyOf(bytes, bodySize) : bytes;
        }

        private void addProperty(String assignment) {
            String[] parts = assignment.split("=", 2);
            if (parts.length != 2) {
                throw new IllegalArgumentException("--property wants k=v, not " + assignment);
            }
            properties.put(parts[0], parts[1]);
        }

        private static CompressionType compressionOf(String name) {
            CompressionType type = CompressionType.of(name.toUpperCase());
            CompressorFactory.getCompressor(type);
            return type;
        }

        private static void print(SendResult result) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("msgId", result.getMsgId());
            line.put("offsetMsgId", result.getOffsetMsgId());
            line.put("brokerName", result.getMessageQueue().getBrokerName());
            line.put("queueId", result.getMessageQueue().getQueueId());
            line.put("queueOffset", result.getQueueOffset());
            line.put("status", result.getSendStatus().name());
            if (result.getRecallHandle() != null) {
                line.put("recallHandle", result.getRecallHandle());
            }
            printLine(line);
        }
    }

    private static final class Receiver {
        private final String topic;
        private final String group;
        private final CountDownLatch missing;
        private String tag = "*";
        private int timeoutSeconds = 30;
        private boolean refuse;
        private ConsumeFromWhere from = ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET;

        Receiver(Deque<String> arguments) {
            topic = next(arguments, "TOPIC");
            group = next(arguments, "GROUP");
            missing = new CountDownLatch(Integer.parseInt(next(arguments, "COUNT")));
            while (!arguments.isEmpty()) {
                String option = arguments.pop();
                switch (option) {
                    case "--tag" -> tag = next(arguments, option);
                    case "--timeout" -> timeoutSeconds = Integer.parseInt(next(arguments, option));
                    case "--from" -> from = whereOf(next(arguments, option));
                    case "--refuse" -> refuse = true;
                    default -> throw new IllegalArgumentException("consume does not know " + option);
                }
            }
        }

        int run() throws Exception {
            DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group, credentials());
            consumer.setMqClientApiTimeout(BUSY_MACHINE_MS);
            enterNamespace(consumer);
            consumer.setConsumeFromWhere(from);
            consumer.setAwaitTerminationMillisWhenShutdown(5_000); // or the last message's worker is interrupted
            consumer.subscribe(topic, tag);
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                boolean again = false;
                for (MessageExt message : messages) {
                    print(message);
                    missing.countDown();
                    again = again || refuse && message.getReconsumeTimes() == 0;
                }
                return again ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
            consumer.setMessageQueueListener((changed, all, assigned) -> {
                if (changed.equals(topic) && !assigned.isEmpty()) {
                    System.err.println("consuming");
                }
            });
            consumer.start();
            boolean complete = missing.await(timeoutSeconds, TimeUnit.SECONDS);
            consumer.shutdown();
            if (!complete) {
                System.err.println("peer: " + missing.getCount() + " messages have not come");
            }
            return complete ? 0 : 1;
        }

        private static ConsumeFromWhere whereOf(String name) {
            return switch (name) {
                case "first" -> ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET;
                case "last" -> ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET;
                default -> throw new IllegalArgumentException("--from is first or last, not " + name);
            };
        }

        private static void print(MessageExt message) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("topic", message.getTopic());
            line.put("tags", message.getTags());
            line.put("keys", message.getKeys());
            line.put("properties", message.getProperties());
            line.put("body", new String(message.getBody(), StandardCharsets.UTF_8));
            line.put("bodyBase64", Base64.getEncoder().encodeToString(message.getBody()));
            line.put("reconsumeTimes", message.getReconsumeTimes());
            line.put("msgId", message.getMsgId());
            line.put("brokerName", message.getBrokerName());
            line.put("queueId", message.getQueueId());
            line.put("queueOffset", message.getQueueOffset());
            line.put("sysFlag", message.getSysFlag());
            printLine(line);
        }
    }

    /** The one that is a part of names, which Java's own users still have. */
    @SuppressWarnings("deprecation")
    private static void enterNamespace(ClientConfig client) {
        if (System.getenv("NAMESPACE") != null) {
            client.setNamespace(System.getenv("NAMESPACE"));
        }
    }

    static RPCHook credentials() {
        String accessKey = System.getenv("ACCESS_KEY");
        return accessKey == null ? null
            : new AclClientRPCHook(new SessionCredentials(accessKey, System.getenv("SECRET_KEY")));
    }

    static String next(Deque<String> arguments, String what) {
        if (arguments.isEmpty()) {
            throw new IllegalArgumentException("missing: value of " + what);
        }
        return arguments.pop();
    }

    static synchronized void printLine(Map<String, Object> line) {
        System.out.println(JSON.toJSONString(line));
        System.out.flush();
    }
}
