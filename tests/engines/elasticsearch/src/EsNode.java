import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs one Elasticsearch node in this JVM: EsNode HOME DATA HTTP_PORT (0: any free port).
 * With EPHEMERAL=1 it ends when its standard input does, and removes DATA.
 */
public class EsNode {
    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]).toAbsolutePath();
        Path data = Path.of(args[1]).toAbsolutePath();

        // the password of the built-in user `elastic`: what `elasticsearch-keystore add bootstrap.password` sets
        KeyStoreWrapper secrets = KeyStoreWrapper.create();
        secrets.setString("bootstrap.password", System.getenv("ELASTIC_PASSWORD").toCharArray());

        Settings settings = Settings.builder()
            .put("path.home", home)
            .put("path.data", data.resolve("data"))
            .put("path.logs", data.resolve("logs"))
            .put("http.port", args[2])
            .put("logger.level", System.getenv().getOrDefault("ES_LOG_LEVEL", "warn"))
            .setSecureSettings(secrets)
            .build();
        LogConfigurator.configureWithoutConfig(settings); // to standard output
        LogConfigurator.configureESLogging();

        // adds config/elasticsearch.yml
        Environment env = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "es");
        // false: the server is on the class path here, not a Java module with exports of its own
        PluginsLoader modules = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(env.modulesDir()), PluginsLoader.loadPluginsBundles(env.pluginsDir()), Map.of(), false);

        Node node = new Node(env, modules);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception e) {
                e.printStackTrace();
            }
        }));
        node.start();
        // on a data directory used before, the indices (.security too) come back a moment later
        node.client().admin().cluster().prepareHealth(TimeValue.THIRTY_SECONDS).setWaitForYellowStatus().get();
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
