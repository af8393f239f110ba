// Follows the changes of a prefix: a stream of events, read by fetch, because EventSource cannot
// send a token.

import * as api from "./api.js";
import { byId, el, keyText, setHidden, setText, visible } from "./dom.js";
import * as format from "./format.js";
import { addressOfKey } from "./keys.js";

const ROWS_MAX = 300;
const PREVIEW_CHARS = 120;
const RETRY_MILLIS = [1000, 2000, 5000, 10000];

let watch = null; // the prefix, where to resume, how many changes, and what ends it
let waiting = []; // events that are not shown yet
let isScheduled = false;

/** Parses an event stream piece by piece. */
export class EventParser {
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
    this.event = { name: "message", data: [], id: undefined };
  }

  push(text) {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop();
    for (const line of lines) {
      this.#line(line.replace(/\r$/, ""));
    }
  }

  #line(line) {
    if (line === "") {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") {
      this.event.name = value;
    } else if (field === "data") {
      this.event.data.push(value);
    } else if (field === "id") {
      this.event.id = value;
    }
  }

  #dispatch() {
    const { name, data, id } = this.event;
    this.event = { name: "message", data: [], id: undefined };
    this.onEvent({ name, data: data.length > 0 ? data.join("\n") : undefined, id });
  }
}

export function createWatch() {
  byId("watch-form").addEventListener("submit", (event) => {
    event.preventDefault();
    watch === null ? start(byId("watch-prefix").value) : stop();
  });
  byId("watch-clear").addEventListener("click", () => {
    waiting = [];
    byId("watch-rows").replaceChildren();
    setHidden(byId("watch-table"), true);
  });
  // A hidden tab costs the server nothing; a visible one goes on where it was.
  document.addEventListener("visibilitychange", () => {
    if (watch !== null) {
      document.hidden ? watch.abort.abort() : follow(watch);
    }
  });
}

function say(text) {
  setText(byId("watch-state"), text);
}

function start(prefix) {
  watch = { prefix, since: undefined, changes: 0, left: 0, tries: 0, abort: new AbortController() };
  byId("watch-prefix").readOnly = true;
  say("Connecting …");
  setText(byId("watch-toggle"), "Stop");
  follow(watch);
}

function stop() {
  const { abort, changes } = watch;
  watch = null;
  abort.abort();
  byId("watch-prefix").readOnly = false;
  setText(byId("watch-toggle"), "Watch");
  say(`Stopped after ${format.count(changes)} ${changes === 1 ? "change" : "changes"}.`);
}

async function follow(mine) {
  mine.abort = new AbortController();
  const { signal } = mine.abort;
  try {
    const query = { prefix: mine.prefix, since: mine.since };
    const response = await api.call("v1/watch", { query, signal });
    mine.tries = 0;
    if (mine.since !== undefined) {
      showState(mine);
    }
    const parser = new EventParser((event) => mine === watch && take(mine, event));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parser.push(part.value);
    }
    retry(mine, signal, "The stream has ended.");
  } catch (refused) {
    if (refused.code === "history_forgotten") {
      mine.since = undefined;
      retry(mine, signal, "The log does not keep the changes meanwhile: some were missed.");
    } else if (refused.status === 401 || refused.status === 403) {
      if (mine === watch) {
        stop();
        say(refused.message);
      }
    } else {
      retry(mine, signal, refused.message);
    }
  }
}

function retry(mine, signal, why) {
  if (mine !== watch || signal.aborted) {
    return;
  }
  say(`${why} Trying again …`);
  const millis = RETRY_MILLIS[Math.min(mine.tries++, RETRY_MILLIS.length - 1)];
  setTimeout(() => mine === watch && !document.hidden && !signal.aborted && follow(mine), millis);
}

function take(mine, { name, data, id }) {
  if (id !== undefined) {
    const isFirst = mine.since === undefined;
    mine.since = id;
    if (isFirst) {
      showState(mine); // from here on no change is missed
    }
  }
  if (name === "history_forgotten") {
    mine.since = undefined;
    return;
  }
  if (data === undefined) {
    return;
  }
  mine.changes++;
  waiting.push({ name, data: JSON.parse(data), at: new Date() });
  if (waiting.length > ROWS_MAX) {
    waiting.shift();
  }
  if (!isScheduled) {
    isScheduled = true;
    setTimeout(showWaiting, 100); // several changes at once
  }
}

function showState({ prefix, changes }) {
  const what = prefix === "" ? "all keys" : `keys that begin with “${prefix}”`;
  say(`Watching ${what}: ${changes === 0 ? "no change yet" : `${format.count(changes)} ${changes === 1 ? "change" : "changes"}`}.`);
}

function showWaiting() {
  isScheduled = false;
  const rows = waiting.map(row).reverse();
  waiting = [];
  const body = byId("watch-rows");
  body.prepend(...rows);
  while (body.childElementCount > ROWS_MAX) {
    body.lastElementChild.remove();
  }
  setHidden(byId("watch-table"), body.childElementCount === 0);
  if (watch !== null) {
    showState(watch);
  }
}

function sizeOf(data) {
  if (data.value_base64 !== undefined) {
    const padding = data.value_base64.endsWith("==") ? 2 : data.value_base64.endsWith("=") ? 1 : 0;
    return (data.value_base64.length / 4) * 3 - padding;
  }
  return data.value === undefined ? undefined : new TextEncoder().encode(data.value).length;
}

function preview(data) {
  if (data.value === undefined) {
    return data.value_base64 === undefined ? "" : el("i", { class: "muted" }, "not UTF-8");
  }
  const start = data.value.slice(0, PREVIEW_CHARS).replace(/[\ud800-\udbff]$/, "");
  return el("bdi", { class: "preview" }, visible(start), start.length < data.value.length ? "…" : "");
}

function row({ name, data, at }) {
  const isPut = name === "put";
  return el(
    "tr",
    {},
    el("td", { class: "time" }, format.clock(at)),
    el("td", {}, el("span", { class: isPut ? "tag put" : "tag delete" }, isPut ? "+ put" : "− delete")),
    el("td", {}, isPut ? el("a", { href: addressOfKey(data.key) }, keyText(data.key)) : keyText(data.key)),
    el("td", { class: "num" }, isPut ? format.bytes(sizeOf(data)) : ""),
    el("td", { class: "type" }, data.content_type ?? ""),
    el("td", {}, preview(data)),
  );
}
