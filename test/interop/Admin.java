// RocketMQ's own tool, mqadmin, in a process that is kept: a JVM's start costs a second of processor time, a command some
// milliseconds. Started and asked by ../broker/admin.sh. A connection is a command: its arguments, each ended by a zero
// byte, and an empty one; the answer is what mqadmin prints, until the end.

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.tools.command.MQAdminStartup;

public final class Admin extends MQAdminStartup {
    public static void main(String[] args) {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Path written = Path.of(args[0] + ".new");
            Files.writeString(written, server.getLocalPort() + "\n");
            Files.move(written, Path.of(args[0]), StandardCopyOption.ATOMIC_MOVE);
            while (true) {
                try (Socket socket = server.accept()) {
                    answer(socket);
                } catch (IOException e) {
                    e.printStackTrace();
                }
            }
        } catch (IOException e) {
            e.printStackTrace();
            System.exit(1);
        }
    }

    private static void answer(Socket socket) throws IOException {
        String[] arguments = read(socket.getInputStream());
        try (PrintStream out = new PrintStream(socket.getOutputStream(), true, StandardCharsets.UTF_8)) {
            System.setOut(out);
            System.setErr(out);
            SUB_COMMANDS.clear(); // each keeps what it has opened
            MQAdminStartup.main(arguments);
        }
    }

    private static String[] read(InputStream in) throws IOException {
        List<String> arguments = new ArrayList<>();
        ByteArrayOutputStream argument = new ByteArrayOutputStream();
        for (int next = in.read(); next >= 0; next = in.read()) {
            if (next != 0) {
                argument.write(next);
            } else if (argument.size() == 0) {
                break;
            } else {
                arguments.add(argument.toString(StandardCharsets.UTF_8));
                argument.reset();
            }
        }
        return arguments.toArray(new String[0]);
    }
}
