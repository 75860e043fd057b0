package bitvault.node;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.function.UnaryOperator;
import org.opensearch.client.node.NodeClient;
import org.opensearch.common.settings.Setting;
import org.opensearch.common.settings.Setting.Property;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.plugins.ActionPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.rest.BytesRestResponse;
import org.opensearch.rest.RestChannel;
import org.opensearch.rest.RestHandler;
import org.opensearch.rest.RestRequest;

/**
 * A password (HTTP Basic) for every request: the jars have none. {@code bitvault.password} holds the hex SHA-256 of "user:password"; without
 * it every request is refused.
 */
public class PasswordPlugin extends Plugin implements ActionPlugin {
    static final Setting<String> PASSWORD = Setting.simpleString("bitvault.password", Property.NodeScope, Property.Filtered);
    private final byte[] wanted;

    public PasswordPlugin(Settings settings) {
        wanted = PASSWORD.get(settings).getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public List<Setting<?>> getSettings() {
        return List.of(PASSWORD);
    }

    @Override
    public UnaryOperator<RestHandler> getRestHandlerWrapper(ThreadContext context) {
        return handler -> new RestHandler.Wrapper(handler) {
            @Override
            public void handleRequest(RestRequest request, RestChannel channel, NodeClient client) throws Exception {
                if (isKnown(request.header("Authorization"))) {
                    super.handleRequest(request, channel, client);
                } else {
                    BytesRestResponse refusal = new BytesRestResponse(RestStatus.UNAUTHORIZED, "text/plain", "password needed\n");
                    refusal.addHeader("WWW-Authenticate", "Basic realm=\"opensearch\"");
                    channel.sendResponse(refusal);
                }
            }
        };
    }

    private boolean isKnown(String header) {
        if (header == null || !header.startsWith("Basic ") || wanted.length != 64) {
            return false;
        }
        try {
            byte[] login = Base64.getDecoder().decode(header.substring(6).trim());
            String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(login));
            return MessageDigest.isEqual(digest.getBytes(StandardCharsets.US_ASCII), wanted);
        } catch (IllegalArgumentException | NoSuchAlgorithmException broken) {
            return false;
        }
    }
}
