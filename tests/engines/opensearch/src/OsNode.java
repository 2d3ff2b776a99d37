import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;

/**
 * Runs one OpenSearch node in this JVM: OsNode HOME DATA HTTP_PORT (0: any free port).
 * With EPHEMERAL=1 it ends when its standard input does, and removes DATA.
 * The stock start script refuses to run as root; an embedded node does not ask.
 */
public class OsNode {
    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]).toAbsolutePath();
        Path data = Path.of(args[1]).toAbsolutePath();

        Settings settings = Settings.builder()
            .put("path.home", home)
            .put("path.data", data.resolve("data"))
            .put("path.logs", data.resolve("logs"))
            .put("cluster.name", "fixture")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", args[2])
            .put("transport.port", "0")
            // a test machine's disk may well be nearly full
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .put("logger.level", System.getenv().getOrDefault("OS_LOG_LEVEL", "warn"))
            .build();
        LogConfigurator.configureWithoutConfig(settings); // to standard output

        Environment env = InternalSettingsPreparer.prepareEnvironment(
            settings, Map.of(), home.resolve("config"), () -> "fixture-1");
        Node node = new Node(env);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception e) {
                e.printStackTrace();
            }
        }));
        node.start();
        // on a data directory used before, the indices come back a moment later
        node.client().admin().cluster().prepareHealth().setWaitForYellowStatus().get();
        System.out.println("READY http://" + node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress());
        if ("1".equals(System.getenv("EPHEMERAL"))) {
            System.in.transferTo(OutputStream.nullOutputStream());
            try (Stream<Path> files = Files.walk(data)) {
                files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
            }
            Runtime.getRuntime().halt(0);
        }
        Thread.currentThread().join();
    }
}
