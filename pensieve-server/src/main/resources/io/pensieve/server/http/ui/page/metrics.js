// Reads /metrics, and computes rates and percentiles from two readings of it.

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const LATENCY = "http_server_requests_seconds";

// What monitors ask for, this page too. It would hide how busy clients keep the server.
const MONITORING = new Set([
  "/metrics",
  "/livez",
  "/readyz",
  "/v1/status",
  "/v1/cluster",
  "/cluster",
  "/internal/heartbeat",
  "/openapi.json",
  "/ui/{file}",
  "/ui",
  "/",
]);

const number = (text) => (text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));
const unescaped = (text) => text.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));

function labels(text) {
  const found = {};
  for (const [, name, value] of text.matchAll(LABEL)) {
    found[name] = unescaped(value);
  }
  return found;
}

/** A reading of the metrics. */
export class Reading {
  constructor(text, atMillis) {
    this.atMillis = atMillis;
    this.families = new Map();
    this.routes = new Map();
    for (const line of text.split("\n")) {
      const match = line.startsWith("#") ? null : LINE.exec(line);
      if (match) {
        this.#add(match[1], labels(match[2] ?? ""), number(match[3]));
      }
    }
  }

  #add(name, labelled, value) {
    if (name.startsWith(LATENCY)) {
      this.#addToRoute(name.slice(LATENCY.length), labelled, value);
      return;
    }
    const samples = this.families.get(name) ?? [];
    samples.push({ labels: labelled, value });
    this.families.set(name, samples);
  }

  #addToRoute(part, { method, route, status, le }, value) {
    const key = `${method} ${route}`;
    const found = this.routes.get(key) ?? new Latencies(method, route);
    this.routes.set(key, found);
    found.add(part, status, le, value);
  }

  /** The value with these labels, or undefined. */
  get(name, wanted = {}) {
    const names = Object.keys(wanted);
    const found = this.families
      .get(name)
      ?.find((sample) => names.every((label) => sample.labels[label] === wanted[label]));
    return found?.value;
  }

  /** The requests of clients on all routes together, without those of monitors. */
  clients() {
    const all = new Latencies("", "");
    for (const latencies of this.routes.values()) {
      if (!latencies.isMonitoring) {
        all.merge(latencies);
      }
    }
    return all;
  }
}

/** The requests of a route: how many by status, and how many took at most how long. */
export class Latencies {
  constructor(method, route) {
    this.method = method;
    this.route = route;
    this.isMonitoring = MONITORING.has(route);
    this.count = 0;
    this.clientErrors = 0;
    this.serverErrors = 0;
    this.buckets = new Map(); // from upper bound to how many took at most that long
  }

  add(part, status, le, value) {
    if (part === "_bucket") {
      const bound = number(le);
      this.buckets.set(bound, (this.buckets.get(bound) ?? 0) + value);
    } else if (part === "_count") {
      this.count += value;
      this.clientErrors += status?.startsWith("4") ? value : 0;
      this.serverErrors += status?.startsWith("5") ? value : 0;
    }
  }

  merge(other) {
    this.count += other.count;
    this.clientErrors += other.clientErrors;
    this.serverErrors += other.serverErrors;
    // A stream of changes takes as long as its client likes: no latency.
    if (other.route !== "/v1/watch") {
      other.buckets.forEach((value, bound) =>
        this.buckets.set(bound, (this.buckets.get(bound) ?? 0) + value),
      );
    }
  }

  /** What has come since an earlier reading of the same route, if there was one. */
  since(earlier) {
    const rest = new Latencies(this.method, this.route);
    rest.count = this.count - (earlier?.count ?? 0);
    rest.clientErrors = this.clientErrors - (earlier?.clientErrors ?? 0);
    rest.serverErrors = this.serverErrors - (earlier?.serverErrors ?? 0);
    this.buckets.forEach((value, bound) =>
      rest.buckets.set(bound, value - (earlier?.buckets.get(bound) ?? 0)),
    );
    return rest;
  }

  /**
   * An estimate in seconds, as Prometheus makes it: linear within the bucket. Undefined without
   * requests.
   */
  quantile(q) {
    const bounds = [...this.buckets.keys()].sort((a, b) => a - b);
    const total = this.buckets.get(Infinity) ?? 0;
    if (total <= 0) {
      return undefined;
    }
    const rank = q * total;
    let lower = 0;
    let below = 0;
    for (const bound of bounds) {
      const upTo = this.buckets.get(bound);
      if (upTo >= rank) {
        if (bound === Infinity) {
          return lower; // longer than the longest bound; nobody knows by how much
        }
        const share = upTo > below ? (rank - below) / (upTo - below) : 1;
        return lower + (bound - lower) * share;
      }
      lower = bound;
      below = upTo;
    }
    return lower;
  }
}

/** The change of a counter in a second, or undefined if that cannot be told. */
export function rateOf(now, earlier, name, wanted) {
  const later = now.get(name, wanted);
  const before = earlier?.get(name, wanted);
  const seconds = earlier ? (now.atMillis - earlier.atMillis) / 1000 : 0;
  if (later === undefined || before === undefined || seconds <= 0) {
    return undefined;
  }
  return (later - before) / seconds;
}

/** Hits of all reads between two readings; undefined without reads. */
export function hitRatio(now, earlier) {
  const result = (kind) => {
    const wanted = { result: kind };
    return (now.get("cache_gets_total", wanted) ?? 0) - (earlier?.get("cache_gets_total", wanted) ?? 0);
  };
  const hits = result("hit");
  const reads = hits + result("miss");
  return reads > 0 ? hits / reads : undefined;
}
