package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.KeyPage.Item;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A listing in pages is that of a plain model: every key with the prefix, in order, those with the
 * delimiter replaced by what they have in common, once; of any keys, lone surrogates too.
 */
@Timeout(120)
class KeyQueryModelTest {
  // In the order of UTF-16 units; the delimiters among them, and what sorts around surrogates.
  private static final String[] LETTERS = {
    "",
    "-",
    "/",
    "a",
    "b",
    "\ud7ff",
    "\ud800",
    "\ud83d\ude00",
    "\udbff\udfff",
    "\udfff",
    "\ue000",
    "\uffff"
  };

  private final Random random = Seed.random(KeyQueryModelTest.class);
  private final TreeSet<String> model = new TreeSet<>();

  private String text(int lettersMax) {
    StringBuilder text = new StringBuilder();
    for (int letters = random.nextInt(lettersMax + 1); letters > 0; letters--) {
      text.append(LETTERS[random.nextInt(LETTERS.length)]);
    }
    return text.toString();
  }

  @Test
  void everyListingIsThatOfTheModel() {
    for (int round = 0; round < 200; round++) {
      Pensieve<String, String> map =
          Pensieve.<String, String>builder().orderKeys(Comparator.naturalOrder()).open();
      model.clear();
      for (int i = random.nextInt(300); i > 0; i--) {
        change(map);
      }
      for (int i = 0; i < 20; i++) {
        listOnce(map.orderedKeys());
      }
      map.close();
    }
  }

  private void change(Pensieve<String, String> map) {
    String key = text(5);
    if (random.nextInt(4) == 0) {
      map.remove(key);
      model.remove(key);
    } else {
      map.put(key, "");
      model.add(key);
    }
  }

  private void listOnce(OrderedKeys<String> keys) {
    String prefix = text(2);
    Optional<String> delimiter =
        switch (random.nextInt(4)) {
          case 0 -> Optional.empty();
          case 1 -> Optional.of("\uffff");
          case 2 -> Optional.of("//");
          default -> Optional.of("/");
        };
    Optional<String> after = random.nextBoolean() ? Optional.empty() : Optional.of(text(4));
    List<Item> expected = expected(prefix, delimiter, after);
    assertEquals(
        expected, pages(keys, new KeyQuery(prefix, delimiter, after, 1 + random.nextInt(8))));
    long count = model.stream().filter(key -> key.startsWith(prefix)).count();
    assertEquals(count, KeyQuery.count(keys, prefix));
  }

  private List<Item> expected(String prefix, Optional<String> delimiter, Optional<String> after) {
    TreeSet<Item> names = new TreeSet<>(Comparator.comparing(Item::text));
    for (String key : model) {
      if (key.startsWith(prefix)) {
        int found = delimiter.map(text -> key.indexOf(text, prefix.length())).orElse(-1);
        names.add(
            found < 0
                ? new Item(key, false)
                : new Item(key.substring(0, found + delimiter.get().length()), true));
      }
    }
    return names.stream()
        .filter(item -> after.isEmpty() || item.text().compareTo(after.get()) > 0)
        .toList();
  }

  private static List<Item> pages(OrderedKeys<String> keys, KeyQuery query) {
    List<Item> names = new ArrayList<>();
    KeyPage page = query.page(keys);
    names.addAll(page.items());
    while (page.next().isPresent()) {
      assertEquals(query.limit(), page.items().size(), "a page with another behind it is full");
      page = query.after(page.next().get()).page(keys);
      assertTrue(!page.items().isEmpty(), "there is something on a page that was announced");
      names.addAll(page.items());
    }
    return names;
  }

  @Test
  void aCommonPrefixIsJumpedOverAndNotWalked() {
    List<String> looked = new ArrayList<>();
    TreeSet<String> keys = new TreeSet<>(Comparator.naturalOrder());
    for (int i = 0; i < 10_000; i++) {
      keys.add("a/" + i);
      keys.add("b/" + i);
    }
    OrderedKeys<String> watched = new OrderedKeys<>(keys, new AllThere(looked));
    KeyQuery query = KeyQuery.ofPrefix("", 1).delimitedBy("/");
    assertEquals(
        new KeyPage(List.of(new Item("a/", true)), Optional.of("a/")), query.page(watched));
    KeyPage second = query.after("a/").page(watched);
    assertEquals(new KeyPage(List.of(new Item("b/", true)), Optional.empty()), second);
    assertTrue(looked.size() <= 4, () -> "looked at " + looked);
  }

  private record AllThere(List<String> looked) implements OrderedKeys.Presence<String> {
    @Override
    public boolean mayWait() {
      return false;
    }

    @Override
    public long era() {
      return 0;
    }

    @Override
    public long version(String key) {
      looked.add(key);
      return 1;
    }

    @Override
    public void await(long version, long era) {}
  }
}
