// What the Java classes of RocketMQ 5.5.0 make of given input, for unit tests to compare with: tables of divided queues,
// and the file of a broadcasting consumer's offsets. Started by the script "golden" beside it, which says how.

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.AllocateMessageQueueStrategy;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMachineRoomNearby;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragelyByCircle;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueByConfig;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueByMachineRoom;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueConsistentHash;
import org.apache.rocketmq.client.consumer.store.OffsetSerializeWrapper;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingSerializable;

public final class Golden {
    private static final String TOPIC = "orders";
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    public static void main(String[] args) throws Exception {
        switch (args.length == 0 ? "" : args[0]) {
            case "allocate" -> allocate();
            case "write-offsets" -> OUT.println(offsets().toJson(true));
            case "read-offsets" -> readOffsets(Path.of(args[1]));
            default -> throw new IllegalArgumentException("golden allocate | write-offsets | read-offsets FILE");
        }
        OUT.flush();
    }

    // ---- dividing queues ----

    private record Members(String name, List<String> ids) {
    }

    private record Queues(String name, List<MessageQueue> queues) {
    }

    private static void allocate() {
        List<Members> members = members();
        List<Queues> topics = topics();
        OUT.println("# Written by test/interop/golden allocate from the Java classes of 5.5.0: who gets which queues of \"orders\".");
        OUT.println("# ids NAME ID...; queues NAME BROKER:ID...; STRATEGY PARAMETER IDS QUEUES and the share of each of the ids, x for each");
        OUT.println("# queue that is its own; the last share is that of a client that is not among the ids.");
        for (Members list : members) {
            OUT.println("ids " + list.name() + " " + String.join(" ", list.ids()));
        }
        for (Queues list : topics) {
            StringBuilder line = new StringBuilder("queues " + list.name());
            for (MessageQueue queue : list.queues()) {
                line.append(' ').append(queue.getBrokerName()).append(':').append(queue.getQueueId());
            }
            OUT.println(line);
        }
        for (Members list : members) {
            for (Queues queues : topics) {
                table(new AllocateMessageQueueAveragely(), "-", list, queues);
                table(new AllocateMessageQueueAveragelyByCircle(), "-", list, queues);
                for (int nodes : new int[] {1, 10, 137}) {
                    table(new AllocateMessageQueueConsistentHash(nodes), Integer.toString(nodes), list, queues);
                }
                for (String rooms : new String[] {"north", "north;south", "west"}) {
                    AllocateMessageQueueByMachineRoom strategy = new AllocateMessageQueueByMachineRoom();
                    strategy.setConsumeridcs(new HashSet<>(List.of(rooms.split(";"))));
                    table(strategy, rooms, list, queues);
                }
                table(nearby(new AllocateMessageQueueAveragely()), "-", list, queues);
                table(nearby(new AllocateMessageQueueAveragelyByCircle()), "-", list, queues);
                table(nearby(new AllocateMessageQueueConsistentHash()), "-", list, queues);
            }
        }
        for (Queues queues : topics) {
            AllocateMessageQueueByConfig strategy = new AllocateMessageQueueByConfig();
            strategy.setMessageQueueList(queues.queues().subList(queues.queues().size() / 3, queues.queues().size()));
            table(strategy, Integer.toString(queues.queues().size() / 3), members.get(0), queues);
        }
    }

    private static List<Members> members() {
        List<Members> lists = new ArrayList<>();
        for (int count : new int[] {1, 2, 3, 5, 8}) {
            List<String> ids = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                ids.add((i % 3 == 2 ? "south" : i % 3 == 1 ? "north" : "east") + "-10.1.2." + (7 + 9 * i) + "@" + 4711 * (i + 1) + "#8123456789" + i);
            }
            Collections.sort(ids);
            lists.add(new Members("members-" + count, ids));
        }
        List<String> texts = new ArrayList<>(List.of("z-1", "gr\u00fcn-2", "\u6d88-3", "\uff5e-4", "\ud83d\ude00-5"));
        Collections.sort(texts);
        lists.add(new Members("unicode", texts));
        // One client that a broker has on two connections.
        lists.add(new Members("twice", List.of("a-1", "b-2", "b-2", "c-3")));
        return lists;
    }

    private static List<Queues> topics() {
        List<Queues> lists = new ArrayList<>();
        for (int count : new int[] {1, 2, 3, 4, 7, 8, 16, 33}) {
            lists.add(queues("plain-" + count, count, "broker-a", "broker-b"));
        }
        lists.add(queues("rooms-12", 4, "north@a", "south@b", "west@c"));
        lists.add(queues("odd-rooms", 1, "@north", "a", "north@", "north@a@", "north@a@b", "north@@", "north@@a", "north", "south@\u6d88"));
        return lists;
    }

    // All in Java's order, the given number over the brokers of a plain list, or on each broker when they are rooms.
    private static Queues queues(String name, int count, String... brokers) {
        List<MessageQueue> queues = new ArrayList<>();
        boolean each = name.contains("rooms");
        for (int i = 0; i < (each ? count * brokers.length : count); i++) {
            queues.add(new MessageQueue(TOPIC, brokers[i % brokers.length], i / brokers.length));
        }
        Collections.sort(queues);
        return new Queues(name, queues);
    }

    // The room is what comes before the first '@' of a broker's name, and before the first '-' of a client's id.
    private static AllocateMessageQueueStrategy nearby(AllocateMessageQueueStrategy within) {
        return new AllocateMachineRoomNearby(within, new AllocateMachineRoomNearby.MachineRoomResolver() {
            @Override
            public String brokerDeployIn(MessageQueue queue) {
                return queue.getBrokerName().split("@", 2)[0];
            }

            @Override
            public String consumerDeployIn(String id) {
                return id.split("-", 2)[0];
            }
        });
    }

    // What each member gets, and last one that the brokers do not list.
    private static void table(AllocateMessageQueueStrategy strategy, String parameter, Members members, Queues queues) {
        List<String> ids = new ArrayList<>(members.ids());
        ids.add("stranger-1");
        StringBuilder line = new StringBuilder(String.join(" ", strategy.getName(), parameter, members.name(), queues.name()));
        for (String id : ids) {
            line.append(' ').append(share(strategy, id, members, queues));
        }
        OUT.println(line);
    }

    private static String share(AllocateMessageQueueStrategy strategy, String id, Members members, Queues queues) {
        Set<MessageQueue> mine;
        try {
            mine = new HashSet<>(strategy.allocate("group", id, queues.queues(), members.ids()));
        } catch (IllegalArgumentException e) {
            return "refused";
        }
        StringBuilder text = new StringBuilder();
        for (MessageQueue queue : queues.queues()) {
            text.append(mine.contains(queue) ? 'x' : '.');
        }
        return text.toString();
    }

    // ---- offsets of broadcasting consumers ----

    private static OffsetSerializeWrapper offsets() {
        OffsetSerializeWrapper wrapper = new OffsetSerializeWrapper();
        wrapper.getOffsetTable().put(new MessageQueue("orders", "broker-a", 0), new AtomicLong(0));
        wrapper.getOffsetTable().put(new MessageQueue("orders", "broker-a", 1), new AtomicLong(9007199254740993L));
        wrapper.getOffsetTable().put(new MessageQueue("orders", "br\u00f6ker-\"b\"", 12), new AtomicLong(Long.MAX_VALUE));
        wrapper.getOffsetTable().put(new MessageQueue("ns%returns", "broker-a", 7), new AtomicLong(42));
        return wrapper;
    }

    private static void readOffsets(Path file) throws Exception {
        OffsetSerializeWrapper wrapper = RemotingSerializable.fromJson(Files.readString(file), OffsetSerializeWrapper.class);
        List<MessageQueue> queues = new ArrayList<>(wrapper.getOffsetTable().keySet());
        Collections.sort(queues);
        for (MessageQueue queue : queues) {
            OUT.println(queue.getTopic() + " " + queue.getBrokerName() + " " + queue.getQueueId() + " " + wrapper.getOffsetTable().get(queue));
        }
    }
}
