package io.pensieve.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.command.ClientProgram;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The commands {@code backup} and {@code restore}, as an operator uses them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
final class BackupCommandTest {
  private static final PrintStream NOWHERE =
      new PrintStream(OutputStream.nullOutputStream(), false, UTF_8);

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private PensieveServer server;
  private Path folder;

  @BeforeAll
  void start(@TempDir Path data) {
    server = start(data, "1000");
    assertEquals(0, run(server.url(), "put", "a", "1"));
    assertEquals(0, run(server.url(), "put", "b", "2", "--ttl", "1h"));
  }

  private static PensieveServer start(Path data, String capacity) {
    Map<Setting, String> flags = new EnumMap<>(Setting.class);
    flags.put(Setting.PORT, "0");
    flags.put(Setting.DATA_DIR, data.toString());
    flags.put(Setting.CAPACITY, capacity);
    return PensieveServer.start(
        Configuration.of(SettingValue.resolve(flags, Map.of())),
        NOWHERE,
        NOWHERE,
        NOWHERE,
        failure -> {});
  }

  @AfterAll
  void close() {
    server.close();
  }

  @BeforeEach
  void use(@TempDir Path empty) {
    folder = empty;
  }

  private int run(String url, String... arguments) {
    out.reset();
    err.reset();
    return new ClientProgram(
            Map.of("PENSIEVE_URL", url),
            InputStream.nullInputStream(),
            new PrintStream(out, false, UTF_8),
            new PrintStream(err, true, UTF_8),
            false)
        .run(arguments);
  }

  private int backUp(String... arguments) {
    String[] all = Stream.concat(Stream.of("backup"), Stream.of(arguments)).toArray(String[]::new);
    return run(server.url(), all);
  }

  private List<String> files() throws Exception {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static CommandRun restore(Path file, Path data) {
    return CommandRun.of(Map.of(), "restore", file.toString(), "--data-dir", data.toString());
  }

  @Test
  void aBackupIsRestoredAndServed() throws Exception {
    Path file = folder.resolve("backup.tar");
    assertEquals(0, backUp(file.toString(), "--json"), err::toString);
    assertEquals("{\"bytes\":" + Files.size(file) + "}\n", out.toString(UTF_8));
    assertEquals(List.of("backup.tar"), files());
    Path data = folder.resolve("data");
    CommandRun restored = restore(file, data);
    assertEquals(0, restored.status(), restored.err());
    assertEquals("restored 2 entries to " + data + "\n", restored.out());
    assertEquals(0, run(server.url(), "get", "b", "--json"));
    String before = out.toString(UTF_8);
    try (PensieveServer again = start(data, "10")) {
      assertEquals(0, run(again.url(), "get", "b", "--json"));
      assertEquals(before, out.toString(UTF_8));
      assertEquals(0, run(again.url(), "get", "a"));
    }
    assertEquals(2, restore(file, data).status());
    restore(file, data).assertEndsInOneLine("is not empty");
  }

  @Test
  void aFileThatIsThereIsReplacedOnDemandOnly() throws Exception {
    Path file = Files.writeString(folder.resolve("backup.tar"), "mine");
    assertEquals(2, backUp(file.toString()));
    assertTrue(err.toString(UTF_8).contains("is there already; --force"), err::toString);
    assertEquals("mine", Files.readString(file));
    assertEquals(0, backUp(file.toString(), "--force"), err::toString);
    assertTrue(Files.size(file) > 4096);
    assertEquals(List.of("backup.tar"), files());
    assertEquals(2, backUp(folder.resolve("none/backup.tar").toString()));
    assertTrue(err.toString(UTF_8).contains("cannot write to the folder"), err::toString);
  }

  @Test
  void theOutputTakesABackupToo() throws Exception {
    assertEquals(0, backUp("-"), err::toString);
    byte[] archive = out.toByteArray();
    assertEquals(2, backUp("-", "--json"));
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(archive));
    try {
      assertEquals(0, restore(Path.of("-"), folder.resolve("data")).status());
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void aBackupThatBreaksOffLeavesNoFile() throws Exception {
    assertEquals(0, backUp("-"));
    byte[] archive = out.toByteArray();
    String head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\n";
    String told = head + "Content-Length: " + archive.length + "\r\n\r\n";
    String untold = head + "Connection: close\r\n\r\n"; // as a proxy may send it on
    for (String begin : new String[] {told, untold}) {
      try (ServerSocket fake = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        Thread answering = new Thread(() -> answer(fake, begin, archive));
        answering.start();
        String url = "http://127.0.0.1:" + fake.getLocalPort();
        assertEquals(4, run(url, "backup", folder.resolve("backup.tar").toString()));
        assertTrue(err.toString(UTF_8).contains("broke off"), err::toString);
        assertEquals(List.of(), files());
        answering.join();
      }
    }
  }

  private static void answer(ServerSocket fake, String head, byte[] archive) {
    try (Socket client = fake.accept()) {
      byte[] request = new byte[4096];
      int unused = client.getInputStream().read(request);
      client.getOutputStream().write(head.getBytes(UTF_8));
      client.getOutputStream().write(archive, 0, archive.length - 513);
    } catch (java.io.IOException clientGone) {
      throw new AssertionError(clientGone);
    }
  }

  @Test
  void anExportLeavesTheOrderOfUseAsItIs() throws Exception {
    try (PensieveServer small = start(folder.resolve("data"), "3")) {
      for (String key : new String[] {"z", "y", "x"}) {
        assertEquals(0, run(small.url(), "put", key, "1"));
      }
      assertEquals(0, run(small.url(), "export"));
      assertEquals(0, run(small.url(), "put", "new", "1"));
      assertEquals(0, run(small.url(), "keys"));
      assertEquals("new\nx\ny\n", out.toString(UTF_8)); // z was the coldest, and is gone
    }
  }

  @Test
  void whatIsNoBackupIsNotRestored() throws Exception {
    Path file = folder.resolve("backup.tar");
    Path data = folder.resolve("data");
    restore(file, data).assertEndsInOneLine("is not there");
    Files.writeString(file, "nonsense".repeat(1000));
    restore(file, data).assertEndsInOneLine("no backup");
    assertEquals(0, backUp(file.toString(), "--force"));
    byte[] whole = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(whole, whole.length - 600));
    restore(file, data).assertEndsInOneLine("cut off");
    assertFalse(Files.exists(data));
    assertArrayEquals(new String[] {"backup.tar"}, files().toArray());
  }
}
