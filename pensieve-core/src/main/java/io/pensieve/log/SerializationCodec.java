package io.pensieve.log;

import static java.util.Objects.requireNonNull;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;

/** Encodes values by Java's serialization, and decodes only what a filter allows. */
record SerializationCodec<T extends Serializable>(Class<T> type, ObjectInputFilter filter)
    implements Codec<T> {
  SerializationCodec {
    requireNonNull(type);
    requireNonNull(filter);
  }

  @Override
  public String name() {
    return "serialization:" + type.getName();
  }

  @Override
  public byte[] encode(T value) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream objects = new ObjectOutputStream(bytes)) {
      objects.writeObject(value);
    } catch (IOException refused) {
      throw new IllegalArgumentException("not serializable", refused);
    }
    return bytes.toByteArray();
  }

  @Override
  public T decode(byte[] bytes) {
    try (ObjectInputStream objects = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
      objects.setObjectInputFilter(filter);
      return type.cast(requireNonNull(objects.readObject()));
    } catch (IOException | ClassNotFoundException | RuntimeException refused) {
      throw new IllegalArgumentException("no serialized " + type.getName(), refused);
    }
  }
}
