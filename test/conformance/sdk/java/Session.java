import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.ResourceNotFoundException;

/** One session with the official SDK for Java 2.x; prints what came back, one `name=value` on each line. */
public final class Session {
  private static final String NAME = "java-sdk";

  public static void main(String[] arguments) throws Exception {
    try (var client = LambdaClient.builder()
        .endpointOverride(URI.create(arguments[0]))
        .region(Region.US_EAST_1)
        .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")))
        .httpClient(UrlConnectionHttpClient.create())
        .build()) {
      session(client, bytesOf(arguments[1]), bytesOf(arguments[2]));
    }
  }

  private static void session(LambdaClient client, SdkBytes code, SdkBytes content) {
    var arn = client.createFunction(it -> it.functionName(NAME)
        .runtime("nodejs22.x")
        .handler("index.handler")
        .role("arn:aws:iam::000000000000:role/r")
        .code(source -> source.zipFile(code))).functionArn();
    show("arn", arn);
    try (var waiter = client.waiter()) {
      waiter.waitUntilFunctionActiveV2(it -> it.functionName(NAME));
    }
    var answer = client.invoke(it -> it.functionName(NAME).payload(SdkBytes.fromUtf8String("{\"name\":\"you\"}")));
    show("status", answer.statusCode());
    show("payload", answer.payload().asUtf8String());

    var version = client.publishVersion(it -> it.functionName(NAME)).version();
    show("version", version);
    show("alias", client.createAlias(it -> it.functionName(NAME).name("live").functionVersion(version)).aliasArn());
    var through = client.invoke(it -> it.functionName(NAME)
        .qualifier("live")
        .payload(SdkBytes.fromUtf8String("{\"name\":\"alias\"}")));
    show("executed", through.executedVersion());
    show("through", through.payload().asUtf8String());

    var layer = client.publishLayerVersion(it -> it.layerName(NAME).content(zip -> zip.zipFile(content)))
        .layerVersionArn();
    show("layer", layer);
    client.updateFunctionConfiguration(it -> it.functionName(NAME).layers(layer));
    try (var waiter = client.waiter()) {
      waiter.waitUntilFunctionUpdatedV2(it -> it.functionName(NAME));
    }
    show("layered", client.invoke(it -> it.functionName(NAME).payload(SdkBytes.fromUtf8String("{\"name\":\"layer\"}")))
        .payload().asUtf8String());

    client.addPermission(it -> it.functionName(NAME)
        .statementId("s3")
        .action("lambda:InvokeFunction")
        .principal("s3.amazonaws.com")
        .sourceArn("arn:aws:s3:::bucket"));
    show("policy", client.getPolicy(it -> it.functionName(NAME)).policy());
    client.removePermission(it -> it.functionName(NAME).statementId("s3"));
    try {
      client.getPolicy(it -> it.functionName(NAME));
      throw new IllegalStateException("the permission is removed");
    } catch (ResourceNotFoundException missing) {
      show("unpolicied", missing.awsErrorDetails().errorCode());
    }

    client.tagResource(it -> it.resource(arn).tags(Map.of("team", "blue")));
    show("tag", client.listTags(it -> it.resource(arn)).tags().get("team"));
    client.untagResource(it -> it.resource(arn).tagKeys("team"));

    show("versions", client.listVersionsByFunctionPaginator(it -> it.functionName(NAME).maxItems(1))
        .versions().stream().map(one -> one.version()).collect(Collectors.joining(",")));

    client.deleteFunction(it -> it.functionName(NAME));
    try {
      client.getFunction(it -> it.functionName(NAME));
      throw new IllegalStateException("the function is deleted");
    } catch (ResourceNotFoundException missing) {
      show("missing", missing.awsErrorDetails().errorCode());
      show("text", missing.awsErrorDetails().errorMessage());
    }
  }

  private static SdkBytes bytesOf(String path) throws IOException {
    return SdkBytes.fromByteArray(Files.readAllBytes(Path.of(path)));
  }

  private static void show(String name, Object value) {
    System.out.println(name + "=" + value);
  }
}
