import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/**
 * Writes, for each version of some APIs, messages of random fields as kafka-clients encodes them. By hand, in this folder:
 *
 *   mvn -q dependency:build-classpath -Dmdep.outputFile=target/classpath
 *   java -cp "$(cat target/classpath)" GoldenMessages.java
 */
public final class GoldenMessages {
    private static final List<String> APIS = List.of(
        "Produce", "Fetch", "ListOffsets", "Metadata", "FindCoordinator", "ApiVersions", "CreateTopics", "DeleteTopics",
        "InitProducerId", "OffsetForLeaderEpoch", "DescribeConfigs", "DescribeCluster");
    private static final int CASES = 2;
    private static final String CLIENT_ID = "golden";
    private static final int CORRELATION_ID = 305419896;

    private static final ObjectMapper MAPPER =
        new ObjectMapper().configure(JsonParser.Feature.ALLOW_COMMENTS, true);
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static Random random;
    private static int arrayLengthMin;
    /** We are to read the message, but not to write it. */
    private static boolean readOnly;

    public static void main(String[] args) throws Exception {
        ArrayNode lines = NODES.arrayNode();
        ArrayNode ranges = NODES.arrayNode();
        for (String api : APIS) {
            JsonNode schema = schema(api + "Request");
            ApiMessageType type = ApiMessageType.fromApiKey((short) schema.get("apiKey").asInt());
            ranges.add(NODES.objectNode().put("api", api).put("key", type.apiKey())
                .put("min", type.lowestSupportedVersion()).put("max", type.highestSupportedVersion(true))
                .put("flexible", since(schema.get("flexibleVersions").asText())));
            for (short v = type.lowestSupportedVersion(); v <= type.highestSupportedVersion(true); v++) {
                for (String side : List.of("Request", "Response")) {
                    random = new Random((api + side + v).hashCode());
                    for (int i = 0; i <= CASES; i++) {
                        arrayLengthMin = i == 0 ? 1 : 0;
                        readOnly = i == CASES;
                        boolean flexible = v >= since(schema.get("flexibleVersions").asText());
                        // The last one has tagged fields that nobody knows.
                        if (i < CASES || flexible) lines.add(example(type, api + side, v));
                    }
                }
            }
        }
        try (PrintStream out = new PrintStream("../kafka-messages.json", StandardCharsets.UTF_8)) {
            out.println("{");
            out.println("\"howMade\": \"kafka-messages/GoldenMessages.java, with kafka-clients 4.3.1\",");
            out.println("\"clientId\": \"" + CLIENT_ID + "\", \"correlationId\": " + CORRELATION_ID + ",");
            out.println("\"apis\": " + MAPPER.writeValueAsString(ranges) + ",");
            out.println("\"messages\": [");
            for (int i = 0; i < lines.size(); i++)
                out.println(MAPPER.writeValueAsString(lines.get(i)) + (i + 1 < lines.size() ? "," : ""));
            out.println("]}");
        }
    }

    /** A message as a frame without its size, and as Java reads it back. */
    private static ObjectNode example(ApiMessageType type, String name, short version)
            throws Exception {
        JsonNode schema = schema(name);
        Map<String, JsonNode> structs = new HashMap<>();
        if (schema.has("commonStructs"))
            for (JsonNode struct : schema.get("commonStructs")) structs.put(struct.get("name").asText(), struct);
        ObjectNode value = struct(schema.get("fields"), structs, version);
        Class<?> converter = Class.forName("org.apache.kafka.common.message." + name + "DataJsonConverter");
        ApiMessage message =
            (ApiMessage) converter.getMethod("read", JsonNode.class, short.class).invoke(null, value, version);
        boolean request = name.endsWith("Request");
        ApiMessage header = request
            ? new RequestHeaderData().setRequestApiKey(type.apiKey()).setRequestApiVersion(version)
                .setCorrelationId(CORRELATION_ID).setClientId(CLIENT_ID)
            : new ResponseHeaderData().setCorrelationId(CORRELATION_ID);
        short headerVersion =
            request ? type.requestHeaderVersion(version) : type.responseHeaderVersion(version);
        if (readOnly) {
            message.unknownTaggedFields().add(new RawTaggedField(77, new byte[] {1, 2, 3}));
            message.unknownTaggedFields().add(new RawTaggedField(300, new byte[200]));
            if (headerVersion >= (request ? 2 : 1))
                header.unknownTaggedFields().add(new RawTaggedField(5, new byte[] {9}));
        }
        byte[] head = bytes(header, headerVersion);
        byte[] body = bytes(message, version);
        ApiMessage read = message.getClass().getConstructor().newInstance();
        read.read(new ByteBufferAccessor(ByteBuffer.wrap(body)), version);
        JsonNode readValue = (JsonNode) converter
            .getMethod("write", message.getClass(), short.class, boolean.class).invoke(null, read, version, true);
        copyRecords(value, readValue);
        ByteBuffer frame = ByteBuffer.allocate(head.length + body.length).put(head).put(body);
        ObjectNode line = NODES.objectNode().put("message", name).put("version", version);
        if (readOnly) line.put("readOnly", true);
        line.put("frame", Base64.getEncoder().encodeToString(frame.array()));
        line.set("value", readValue);
        return line;
    }

    /** Kafka's JSON says nothing of records. */
    private static void copyRecords(JsonNode from, JsonNode to) {
        if (from.has("records")) ((ObjectNode) to).set("records", from.get("records"));
        for (int i = 0; from.isArray() && i < from.size(); i++) copyRecords(from.get(i), to.get(i));
        if (from.isObject()) from.fieldNames().forEachRemaining(name -> {
            if (to.has(name)) copyRecords(from.get(name), to.get(name));
        });
    }

    private static byte[] bytes(ApiMessage message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        return buffer.array();
    }

    private static ObjectNode struct(JsonNode fields, Map<String, JsonNode> structs, short version) {
        ObjectNode node = NODES.objectNode();
        for (JsonNode field : fields) {
            if (!includes(field.get("versions").asText(), version)) continue;
            // Half of the tagged fields keep their default, which is not written.
            if (field.has("tag") && random.nextBoolean()) continue;
            String name = field.get("name").asText();
            name = Character.toLowerCase(name.charAt(0)) + name.substring(1);
            boolean nullable =
                field.has("nullableVersions") && includes(field.get("nullableVersions").asText(), version);
            String type = field.get("type").asText();
            // We read null records as none, and so cannot write the same bytes again.
            if (type.equals("records")) nullable = readOnly;
            boolean isNull = nullable && random.nextInt(4) == 0;
            node.set(name, isNull ? NODES.nullNode() : value(type, field, structs, version));
        }
        return node;
    }

    private static JsonNode value(String type, JsonNode field, Map<String, JsonNode> structs, short version) {
        if (type.startsWith("[]")) {
            ArrayNode array = NODES.arrayNode();
            for (int i = arrayLengthMin + random.nextInt(2); i > 0; i--)
                array.add(value(type.substring(2), field, structs, version));
            return array;
        }
        switch (type) {
            case "bool": return NODES.booleanNode(random.nextBoolean());
            case "int8": return NODES.numberNode((byte) random.nextInt());
            case "int16": return NODES.numberNode((short) random.nextInt());
            case "int32": return NODES.numberNode(random.nextInt());
            // Within 2^53.
            case "int64": return NODES.numberNode(random.nextLong() >> (11 + random.nextInt(40)));
            case "uuid": return NODES.textNode(new Uuid(random.nextLong(), random.nextLong()).toString());
            case "string": return NODES.textNode(text());
            case "bytes":
            case "records": return NODES.binaryNode(randomBytes(random.nextInt(20)));
            default:
                JsonNode fields = field.has("fields") ? field.get("fields") : structs.get(type).get("fields");
                return struct(fields, structs, version);
        }
    }

    /** Now and then empty, with letters of one to four bytes, or longer than a varint of one byte counts. */
    private static String text() {
        List<String> letters = Arrays.asList("a", "Z", "-", "0", "\u00e9", "\u20ac", "\ud83e\uddf5");
        int length = random.nextInt(30) == 0 ? 130 : random.nextInt(8);
        List<String> picked = new ArrayList<>();
        for (int i = 0; i < length; i++) picked.add(letters.get(random.nextInt(letters.size())));
        return String.join("", picked);
    }

    private static byte[] randomBytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static JsonNode schema(String name) throws Exception {
        try (InputStream in = GoldenMessages.class.getResourceAsStream("/common/message/" + name + ".json")) {
            return MAPPER.readTree(in);
        }
    }

    /** "3", "3+" or "3-12". */
    private static boolean includes(String versions, short version) {
        if (versions.equals("none")) return false;
        String[] ends = versions.split("-");
        if (version < since(versions)) return false;
        return versions.endsWith("+") || version <= Integer.parseInt(ends[ends.length - 1]);
    }

    private static int since(String versions) {
        return Integer.parseInt(versions.split("[-+]")[0]);
    }
}
