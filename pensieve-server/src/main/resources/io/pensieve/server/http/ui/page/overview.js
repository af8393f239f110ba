// What an operator looks at first: the tiles, the plots, the routes, the log and the peers.

import { byId, el, setHidden, setText } from "./dom.js";
import * as format from "./format.js";
import { hitRatio, rateOf } from "./metrics.js";
import { createPlots, redraw, showPlots } from "./plots.js";

const KEPT_SECONDS = 15 * 60;
const SHOWN_SECONDS_MIN = 60;
const WINDOW_MILLIS = 30000;

const samples = []; // for the plots, the oldest first
let recent = []; // readings of the window, for percentiles and rates of the routes

const tiles = new Map();

function tile(id, title, { meter = false } = {}) {
  const value = el("p", { class: "value" }, "–");
  const detail = el("p", { class: "muted" });
  const fill = el("i");
  const bar = el("div", { class: "meter", role: "meter", "aria-label": `${title}, of the bound`, "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const box = el("div", { class: "panel tile", id: `tile-${id}` }, el("h3", {}, title), value, meter ? bar : null, detail);
  byId("tiles").append(box);
  tiles.set(id, { value, detail, bar, fill, box });
}

function setTile(id, value, detail, { share, state = "" } = {}) {
  const shown = tiles.get(id);
  setText(shown.value, value);
  setText(shown.detail, detail);
  shown.box.dataset.state = state;
  if (share !== undefined) {
    const percent = Math.min(100, Math.max(0, share * 100));
    shown.fill.style.width = `${percent}%`;
    shown.bar.setAttribute("aria-valuenow", percent.toFixed(0));
    shown.bar.dataset.full = String(id === "heap" && percent > 90); // a full map is as it should be
  }
}

export function createOverview() {
  tile("entries", "Entries", { meter: true });
  tile("weight", "Memory of entries", { meter: true });
  tile("hits", "Hit ratio");
  tile("requests", "Requests of clients");
  tile("latency", "Latency, p99");
  tile("departures", "Evictions, expiries");
  tile("log", "Log");
  tile("heap", "Heap", { meter: true });
  createPlots();
}

/** Takes a reading of the metrics. Call show() to see it. */
export function takeReading(reading) {
  const previous = recent[recent.length - 1];
  const started = "process_start_time_seconds";
  if (previous && previous.get(started) !== reading.get(started)) {
    recent = []; // another process, whose counters began again
    samples.push({ at: reading.atMillis / 1000 - 0.001 }); // a gap
  }
  recent = recent.filter((old) => reading.atMillis - old.atMillis <= WINDOW_MILLIS);
  samples.push(sample(reading, recent[recent.length - 1]));
  recent.push(reading);
  while (samples[0].at < reading.atMillis / 1000 - KEPT_SECONDS) {
    samples.shift();
  }
}

/** Leaves a gap in the plots: the server was not asked, or did not answer. */
export function takeNothing() {
  if (samples.length > 0 && samples[samples.length - 1].requests !== undefined) {
    samples.push({ at: Date.now() / 1000 });
  }
  recent = [];
}

function sample(now, before) {
  const seconds = before ? (now.atMillis - before.atMillis) / 1000 : 0;
  const clients = now.clients().since(before?.clients());
  return {
    at: now.atMillis / 1000,
    requests: before ? clients.count / seconds : undefined,
    refused: before ? (clients.clientErrors + clients.serverErrors) / seconds : undefined,
    p50: before ? clients.quantile(0.5) : undefined,
    p99: before ? clients.quantile(0.99) : undefined,
    hitRatio: before ? hitRatio(now, before) : undefined,
    entries: now.get("cache_size"),
    weight: now.get("cache_weight_bytes"),
    evictions: rateOf(now, before, "cache_evictions_total"),
    expiries: rateOf(now, before, "cache_expiries_total"),
    heap: now.get("jvm_memory_used_bytes", { area: "heap" }),
    logBase: now.get("pensieve_log_base_bytes"),
    logChanges: now.get("pensieve_log_changes_bytes"),
    forces: rateOf(now, before, "pensieve_log_forces_total"),
  };
}

/** Shows what was read last. */
export function show(status, cluster) {
  const now = recent[recent.length - 1];
  if (now === undefined) {
    return;
  }
  const before = recent[0] === now ? undefined : recent[0];
  showTiles(now, before, status);
  showRoutes(now, before);
  showLog(now, status);
  showPeers(cluster);
  // All that is kept: from a minute, growing to a quarter of an hour.
  const end = now.atMillis / 1000;
  showPlots(samples, [Math.min(samples[0].at, end - SHOWN_SECONDS_MIN), end]);
}

// The largest number that the server knows stands for none.
const isBound = (max) => max < 2 ** 62;

function showTiles(now, before, status) {
  const entries = now.get("cache_size");
  const entriesMax = now.get("cache_size_max");
  setTile("entries", format.count(entries), `of ${format.count(entriesMax)}`, { share: entries / entriesMax });

  const weight = now.get("cache_weight_bytes");
  const weightMax = now.get("cache_weight_bytes_max");
  setTile("weight", format.bytes(weight), isBound(weightMax) ? `of ${format.bytes(weightMax)}` : "no bound", { share: weight / weightMax });

  const ratio = before ? hitRatio(now, before) : undefined;
  setTile("hits", format.percent(ratio), `${format.percent(hitRatio(now))} of all so far`);

  const clients = now.clients();
  const latest = before ? clients.since(before.clients()) : undefined;
  const seconds = before ? (now.atMillis - before.atMillis) / 1000 : 0;
  setTile(
    "requests",
    before ? format.rate(latest.count / seconds) : "–",
    `${format.count(now.get("http_server_requests_in_flight"))} under way · ${format.count(clients.count)} so far`,
  );
  setTile("latency", format.seconds(latest?.quantile(0.99)), `p50 ${format.seconds(latest?.quantile(0.5))}`);

  const evictions = rateOf(now, before, "cache_evictions_total");
  const expiries = rateOf(now, before, "cache_expiries_total");
  setTile(
    "departures",
    `${format.rate(evictions)}, ${format.rate(expiries)}`,
    `${format.count(now.get("cache_evictions_total"))} and ${format.count(now.get("cache_expiries_total"))} so far`,
  );
  showLogTile(now, status);

  const heap = now.get("jvm_memory_used_bytes", { area: "heap" });
  const heapMax = now.get("jvm_memory_max_bytes", { area: "heap" });
  setTile("heap", format.bytes(heap), `of ${format.bytes(heapMax)}`, { share: heap / heapMax });
}

function showLogTile(now, status) {
  if (status.durability === "none") {
    setTile("log", "None", "entries end with the process");
    return;
  }
  const size = format.bytes(now.get("pensieve_log_base_bytes") + now.get("pensieve_log_changes_bytes"));
  const promise = `sound, ${status.durability}`;
  if (now.get("pensieve_log_failed") === 1) {
    setTile("log", "✖ Failed", "reads only, until a restart", { state: "bad" });
  } else if (now.get("pensieve_log_refuses_puts") === 1) {
    setTile("log", "✖ Full", "puts are refused", { state: "bad" });
  } else {
    setTile("log", size, promise);
  }
}

function row(...cells) {
  return el("tr", {}, cells);
}

const cell = (text, name) => el("td", name ? { class: name } : {}, text);
const head = (text, name) => el("th", { scope: "col", ...(name ? { class: name } : {}) }, text);

function showRoutes(now, before) {
  const seconds = before ? (now.atMillis - before.atMillis) / 1000 : 0;
  const routes = [...now.routes.entries()]
    .map(([key, all]) => ({ all, latest: before ? all.since(before.routes.get(key)) : undefined }))
    .filter(({ all }) => all.count > 0)
    .sort(
      (a, b) =>
        a.all.isMonitoring - b.all.isMonitoring ||
        (b.latest?.count ?? 0) - (a.latest?.count ?? 0) ||
        b.all.count - a.all.count,
    );
  const body = routes.map(({ all, latest }) =>
    el(
      "tr",
      { class: all.isMonitoring ? "monitoring" : "" },
      el("th", { scope: "row" }, el("span", { class: "method" }, all.method), " ", el("code", {}, all.route)),
      cell(latest ? format.rate(latest.count / seconds) : "–"),
      cell(format.seconds(latest?.quantile(0.5))),
      cell(format.seconds(latest?.quantile(0.99))),
      cell(format.count(all.clientErrors)),
      cell(format.count(all.serverErrors), all.serverErrors > 0 ? "bad" : ""),
      cell(format.count(all.count)),
    ),
  );
  const columns = ["Route", "Rate", "p50", "p99", "4xx", "5xx", "Total"].map((title) => head(title));
  byId("routes").replaceChildren(el("thead", {}, row(...columns)), el("tbody", {}, body));
}

function facts(list, pairs) {
  list.replaceChildren(
    ...pairs.map(([name, value, state]) =>
      el("div", state ? { class: state } : {}, el("dt", {}, name), el("dd", {}, value)),
    ),
  );
}

function showLog(now, status) {
  const log = status.log;
  if (status.durability === "none") {
    facts(byId("log"), [["Durability", "none"]]);
    return;
  }
  const failed = log.failed_compactions;
  const freeIsShort = log.free_bytes <= log.reserve_bytes;
  facts(byId("log"), [
    ["A write survives", status.durability === "power-cut" ? "a power cut" : "the death of the process"],
    ["Entries at its start", format.bytes(log.base_bytes)],
    ["Changes since", format.bytes(log.changes_bytes)],
    ["Not written yet", format.bytes(log.waiting_bytes)],
    ["Forces", format.count(log.forces)],
    ["Compactions", format.count(log.compactions)],
    ["Failed compactions", format.count(failed), failed > 0 ? "bad" : ""],
    ["Last compaction took", log.compactions > 0 ? format.seconds(now.get("pensieve_log_last_compaction_seconds")) : "–"],
    ["Room left on its volume", format.bytes(log.free_bytes), freeIsShort ? "bad" : ""],
    ["Puts leave free", format.bytes(log.reserve_bytes)],
  ]);
}

const STATES = { alive: "● alive", suspect: "▲ suspect", dead: "✖ dead" };

/** The peers, and what a replicating node tells of the members of its cluster besides. */
function nodesOf({ node_id: own, peers = [], members = [], leader }) {
  const nodes = peers.map((peer) => ({ ...peer }));
  for (const member of members) {
    const known = nodes.find(({ id, url }) => (id !== null && id === member.id) || url === member.url);
    const role = member.id === leader ? "leader" : "follower";
    if (known) {
      Object.assign(known, { role, lag: member.lag });
    } else if (member.id !== own) {
      nodes.push({ ...member, role });
    }
  }
  return nodes;
}

const isKnown = (value) => value !== undefined && value !== null;

function showPeers(cluster) {
  const nodes = nodesOf(cluster);
  const isReplicated = isKnown(cluster.role);
  const own = isReplicated
    ? el("p", { class: "own" }, ownRole(cluster))
    : el("p", { class: "muted" }, nodes.length === 0 ? "None: this node is alone." : "Nodes watch one another; they do not replicate.");
  if (nodes.length === 0) {
    byId("peers").replaceChildren(own);
    return;
  }
  const titles = ["Node", "State", "Phi", "Heard", ...(isReplicated ? ["Role", "Behind by"] : [])];
  const rows = nodes.map((node) =>
    row(
      el("th", { scope: "row" }, el("bdi", {}, node.url), isKnown(node.id) ? ` (${node.id})` : ""),
      cell(STATES[node.state] ?? node.state ?? "–", `state ${node.state === "alive" ? "good" : "bad"}`),
      cell(node.phi >= 1e9 ? "∞" : format.short(node.phi)),
      cell(isKnown(node.last_heard_ms) ? `${format.span(node.last_heard_ms)} ago` : "never"),
      ...(isReplicated ? [cell(node.role ?? "–"), cell(isKnown(node.lag) ? `${format.count(node.lag)} changes` : "–")] : []),
    ),
  );
  byId("peers").replaceChildren(
    own,
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Peers" },
      el(
        "table",
        { class: "numbers", "aria-label": "Peers" },
        el("thead", {}, row(...titles.map((title) => head(title)))),
        el("tbody", {}, rows),
      ),
    ),
  );
}

function ownRole({ role, leader, term, commit_index: committed, applied_index: applied, waits_for: waitsFor }) {
  const parts = [
    `This node is ${role}`,
    isKnown(leader) ? `the leader is node ${leader}` : "there is no leader",
    isKnown(term) ? `term ${format.count(term)}` : null,
    isKnown(applied) && isKnown(committed) ? `applied ${format.count(applied)} of ${format.count(committed)}` : null,
    isKnown(waitsFor) ? `it waits for ${waitsFor}` : null,
  ];
  return `${parts.filter(isKnown).join(" · ")}.`;
}

export function showOverview(isShown) {
  setHidden(byId("overview"), !isShown);
  if (isShown) {
    redraw();
  }
}

export { redraw };
