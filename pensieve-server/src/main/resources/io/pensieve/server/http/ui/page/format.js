// Numbers, sizes and times for people.

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const NONE = "–";

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

export const count = (value) => (isNumber(value) ? plain.format(value) : NONE);

/** Three digits that matter. */
export function short(value) {
  if (!isNumber(value)) {
    return NONE;
  }
  const size = Math.abs(value);
  if (size !== 0 && size < 0.01) {
    return "<0.01";
  }
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
}

export const rate = (value) => (isNumber(value) ? `${short(value)}/s` : NONE);

export function bytes(value) {
  if (!isNumber(value)) {
    return NONE;
  }
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let size = value;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 ? count(size) : short(size)} ${units[unit]}`;
}

/** A latency. */
export function seconds(value) {
  if (!isNumber(value)) {
    return NONE;
  }
  if (value < 0.001) {
    return `${short(value * 1e6)} µs`;
  }
  return value < 1 ? `${short(value * 1e3)} ms` : `${short(value)} s`;
}

export const percent = (value) => (isNumber(value) ? `${short(value * 100)} %` : NONE);

/** A span of time in its two largest units. */
export function span(millis) {
  if (!isNumber(millis)) {
    return NONE;
  }
  const units = [
    ["d", 86400000],
    ["h", 3600000],
    ["min", 60000],
    ["s", 1000],
  ];
  const first = units.findIndex(([, size]) => millis >= size);
  if (first < 0) {
    return `${count(millis)} ms`;
  }
  const [name, size] = units[first];
  const whole = Math.floor(millis / size);
  if (first + 1 === units.length) {
    return `${whole} ${name}`;
  }
  const [next, nextSize] = units[first + 1];
  const rest = Math.floor((millis - whole * size) / nextSize);
  return rest > 0 ? `${whole} ${name} ${rest} ${next}` : `${whole} ${name}`;
}

export const clock = (date) => date.toLocaleTimeString("en-GB");
