package io.pensieve.log;

import static java.util.Objects.requireNonNull;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Encodes records by their components. The number of components is the version of the record:
 * components are only added, at the end.
 */
final class RecordCodec<R extends Record> implements StreamingCodec<R> {
  private static final Map<Type, Codec<?>> BASIC =
      Map.ofEntries(
          Map.entry(int.class, Codecs.INT32),
          Map.entry(Integer.class, Codecs.INT32),
          Map.entry(long.class, Codecs.INT64),
          Map.entry(Long.class, Codecs.INT64),
          Map.entry(double.class, Codecs.FLOAT64),
          Map.entry(Double.class, Codecs.FLOAT64),
          Map.entry(boolean.class, Codecs.BOOL),
          Map.entry(Boolean.class, Codecs.BOOL),
          Map.entry(String.class, Codecs.UTF_8),
          Map.entry(byte[].class, Codecs.BYTES),
          Map.entry(UUID.class, Codecs.UUID_CODEC),
          Map.entry(Instant.class, Codecs.INSTANT));

  private record Component<T>(String name, Codec<T> codec, MethodHandle accessor) {
    void encode(Object record, Output into) {
      T value = value(record);
      if (value == null) {
        throw new IllegalArgumentException("the component " + name + " is null");
      }
      into.writeSized(codec, value);
    }

    @SuppressWarnings("unchecked") // the codec is that of the accessor's type
    private @Nullable T value(Object record) {
      try {
        return (T) accessor.invoke(record);
      } catch (RuntimeException | Error thrown) {
        throw thrown;
      } catch (Throwable checked) { // which an accessor cannot declare
        throw new IllegalArgumentException("cannot read the component " + name, checked);
      }
    }
  }

  private final Class<R> type;
  private final List<Component<?>> components;
  private final MethodHandle constructor; // takes an array of all components
  private final List<Object> defaults; // of the last components

  RecordCodec(Class<R> type, Object... defaults) {
    this(type, Set.of(), defaults);
  }

  private RecordCodec(Class<R> type, Set<Class<?>> outer, Object... defaults) {
    this.type = requireNonNull(type);
    this.defaults = List.of(defaults);
    RecordComponent[] declared = type.getRecordComponents();
    if (outer.contains(type)) {
      throw new IllegalArgumentException("a record that contains itself: " + type.getName());
    } else if (defaults.length > declared.length) {
      throw new IllegalArgumentException(
          "more defaults than components: " + defaults.length + " of " + declared.length);
    }
    Set<Class<?>> inner = Set.copyOf(Stream.concat(outer.stream(), Stream.of(type)).toList());
    components = new ArrayList<>(declared.length);
    Class<?>[] types = new Class<?>[declared.length];
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      for (int i = 0; i < declared.length; i++) {
        types[i] = declared[i].getType();
        Method accessor = declared[i].getAccessor();
        accessor.setAccessible(true);
        components.add(
            new Component<>(
                declared[i].getName(),
                codec(declared[i].getGenericType(), inner),
                lookup.unreflect(accessor)));
      }
      Constructor<R> canonical = type.getDeclaredConstructor(types);
      canonical.setAccessible(true);
      constructor = lookup.unreflectConstructor(canonical).asSpreader(Object[].class, types.length);
    } catch (ReflectiveOperationException | RuntimeException inaccessible) {
      if (inaccessible instanceof IllegalArgumentException refused) {
        throw refused;
      }
      throw new IllegalArgumentException(
          type.getName() + " is not accessible: its module must open its package to io.pensieve",
          inaccessible);
    }
    checkDefaults();
  }

  private void checkDefaults() {
    for (int i = 0; i < defaults.size(); i++) {
      Component<?> component = components.get(components.size() - defaults.size() + i);
      try {
        encode(component.codec(), defaults.get(i));
      } catch (ClassCastException otherType) {
        throw new IllegalArgumentException(
            "the default of " + component.name() + " has another type", otherType);
      }
    }
  }

  @SuppressWarnings("unchecked") // a value of another type throws, which is the question
  private static <T> byte[] encode(Codec<T> codec, Object value) {
    return codec.encode((T) value);
  }

  private static Codec<?> codec(Type type, Set<Class<?>> outer) {
    Codec<?> basic = BASIC.get(type);
    if (basic != null) {
      return basic;
    } else if (type instanceof ParameterizedType generic && generic.getRawType() == List.class) {
      return new Codecs.ListCodec<>(codec(generic.getActualTypeArguments()[0], outer));
    } else if (type instanceof ParameterizedType generic
        && generic.getRawType() == Optional.class) {
      return new Codecs.OptionalCodec<>(codec(generic.getActualTypeArguments()[0], outer));
    } else if (type instanceof Class<?> record && record.isRecord()) {
      return new RecordCodec<>(record.asSubclass(Record.class), outer);
    } else if (type instanceof Class<?> constants && constants.isEnum()) {
      return enumCodec(constants);
    }
    throw new IllegalArgumentException("no codec for a component of type " + type.getTypeName());
  }

  @SuppressWarnings({"unchecked", "rawtypes"}) // the class is that of an enum
  private static Codec<?> enumCodec(Class<?> type) {
    return new Codecs.EnumCodec(type);
  }

  @Override
  public String name() {
    return "record:" + type.getName();
  }

  @Override
  public void encode(R value, Output into) {
    into.writeInt(components.size());
    for (Component<?> component : components) {
      component.encode(value, into);
    }
  }

  @Override
  public R decode(byte[] bytes) {
    List<byte[]> parts = Parts.split(bytes);
    int missing = components.size() - parts.size();
    if (missing < 0 || missing > defaults.size()) {
      throw new IllegalArgumentException(
          "found "
              + parts.size()
              + " components of "
              + type.getName()
              + ", which has "
              + components.size()
              + " and defaults for "
              + defaults.size());
    }
    Object[] values = new Object[components.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          i < parts.size()
              ? components.get(i).codec().decode(parts.get(i))
              : defaults.get(i - components.size() + defaults.size());
    }
    return construct(values);
  }

  @SuppressWarnings("unchecked") // the constructor is that of R
  private R construct(Object[] values) {
    try {
      return (R) constructor.invoke(values);
    } catch (Error thrown) {
      throw thrown;
    } catch (Throwable refused) {
      throw new IllegalArgumentException("cannot construct a " + type.getName(), refused);
    }
  }
}
