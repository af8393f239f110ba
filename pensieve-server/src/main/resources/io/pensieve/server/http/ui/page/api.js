// Calls the server. Paths are relative to the page's parent, so that a proxy may serve both below a
// path of its own.

const ROOT = new URL("..", document.baseURI);
const TOKEN = "pensieve-token";
const PATIENCE_MILLIS = 15000;
const RETRY_MILLIS = [200, 600];

/** The token is in the session storage: of this tab, and gone with it. */
export const token = {
  get: () => sessionStorage.getItem(TOKEN) ?? "",
  set: (text) => (text ? sessionStorage.setItem(TOKEN, text) : sessionStorage.removeItem(TOKEN)),
};

/** What the server refused, as a problem of RFC 9457; or status 0 if it did not answer. */
export class Refusal extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

let onUnauthorized = () => {};

export function whenUnauthorized(listener) {
  onUnauthorized = listener;
}

async function refusal(response) {
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // A proxy's page, or an answer that was cut off: the status has to do.
  }
  const detail = problem.detail ?? `The server answered ${response.status}.`;
  return new Refusal(response.status, problem.code ?? "", detail);
}

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

// A browser drops connections whenever an interface of its machine comes or goes. So a read is tried
// again before it is said that the server does not answer; a write is left to whoever looks.
async function answerTo(url, options) {
  const isRead = (options.method ?? "GET") === "GET";
  for (let tries = 0; ; tries++) {
    try {
      return await fetch(url, options);
    } catch (failed) {
      const isFinal = !isRead || tries === RETRY_MILLIS.length || document.hidden;
      if (failed.name === "AbortError") {
        throw failed;
      } else if (isFinal || failed.name === "TimeoutError") {
        throw new Refusal(0, "no_answer", "The server does not answer.");
      }
      await pause(RETRY_MILLIS[tries]);
    }
  }
}

/** Sends a request; resolves with an answer whose status is below 400. */
export async function call(path, { query = {}, headers = {}, signal, ...options } = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") {
      url.searchParams.set(name, value);
    }
  }
  const sent = token.get();
  const response = await answerTo(url, {
    ...options,
    headers: sent ? { ...headers, Authorization: `Bearer ${sent}` } : headers,
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    signal: signal ?? AbortSignal.timeout(PATIENCE_MILLIS),
  });
  if (response.ok) {
    return response;
  }
  const refused = await refusal(response);
  if (refused.status === 401) {
    onUnauthorized(refused, sent);
  }
  throw refused;
}

export const json = async (path, options) => (await call(path, options)).json();
export const text = async (path, options) => (await call(path, options)).text();

// Browsers shorten these two keys out of a path, escaped or not. A batch has them in its body.
const isDots = (key) => key === "." || key === "..";
const pathOf = (key) => `v1/kv/${encodeURIComponent(key)}`;

async function batch(ops) {
  return json("v1/batch", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ atomic: true, ops }),
  });
}

/** An entry whose value is longer than this is shown without it, until one asks. */
export const AT_ONCE_BYTES = 2 << 20;

/**
 * Reads an entry. Its bytes are null if there are more than AT_ONCE_BYTES, unless all are wanted.
 */
export async function read(key, { all = false } = {}) {
  if (isDots(key)) {
    const { results } = await batch([{ op: "get", key }]);
    const [found] = results;
    if (found.status === 404) {
      throw new Refusal(404, "no_such_key", "there is no entry of this key");
    }
    const bytes =
      found.value_base64 === undefined
        ? new TextEncoder().encode(found.value)
        : Uint8Array.from(atob(found.value_base64), (c) => c.charCodeAt(0));
    return {
      key,
      bytes,
      size: bytes.length,
      type: found.content_type,
      version: String(found.version),
      ttl: found.ttl_ms,
      at: Date.now(),
    };
  }
  const abort = new AbortController();
  const response = await call(pathOf(key), all ? { signal: abort.signal } : {});
  const size = Number(response.headers.get("Content-Length") ?? 0);
  const ttl = response.headers.get("Pensieve-TTL");
  const isShown = all || size <= AT_ONCE_BYTES;
  const bytes = isShown ? new Uint8Array(await response.arrayBuffer()) : null;
  if (!isShown) {
    await response.body?.cancel();
  }
  return {
    key,
    bytes,
    size: bytes?.length ?? size,
    type: response.headers.get("Content-Type") ?? "",
    version: (response.headers.get("ETag") ?? "").replaceAll('"', ""),
    ttl: ttl === null ? undefined : Number.parseInt(ttl, 10),
    at: Date.now(),
  };
}

/** Puts, if the version is still this one: 0 for no entry. */
export async function put(key, { bytes, type, ttl, version }) {
  if (isDots(key)) {
    let binary = "";
    bytes.forEach((byte) => (binary += String.fromCharCode(byte)));
    const value = { value_base64: btoa(binary), content_type: type || undefined, ttl };
    await batch([
      { op: "check", key, version: Number(version) },
      { op: "put", key, ...value },
    ]);
    return;
  }
  const condition = version === "0" ? { "If-None-Match": "*" } : { "If-Match": `"${version}"` };
  await call(pathOf(key), {
    method: "PUT",
    query: { ttl },
    headers: { ...condition, "Content-Type": type || "application/octet-stream" },
    body: bytes,
    signal: new AbortController().signal, // however long it takes
  });
}

/** Deletes, if the version is still this one. */
export async function remove(key, version) {
  if (isDots(key)) {
    await batch([
      { op: "check", key, version: Number(version) },
      { op: "delete", key },
    ]);
    return;
  }
  await call(pathOf(key), { method: "DELETE", headers: { "If-Match": `"${version}"` } });
}

let paths;

async function hasRoute(template) {
  paths ??= (await json("openapi.json")).paths;
  return paths[template] !== undefined;
}

/** Gives an entry another life; without ttl it lives for ever. */
export async function extend(entry, ttl) {
  if (ttl && !isDots(entry.key) && (await hasRoute("/v1/touch/{key}"))) {
    await call(`v1/touch/${encodeURIComponent(entry.key)}`, { method: "POST", query: { ttl } });
    return;
  }
  const whole = entry.bytes ? entry : await read(entry.key, { all: true });
  if (whole.version !== entry.version) {
    throw new Refusal(412, "precondition_failed", "Somebody has changed the entry meanwhile.");
  }
  await put(entry.key, { ...whole, ttl });
}
