// Shows one entry, and changes it. Every change names the version that was seen, so nobody
// overwrites what somebody else has written meanwhile.

import * as api from "./api.js";
import { ask, byId, el, keyText, setText, toast } from "./dom.js";
import * as format from "./format.js";
import { decode, viewsOf } from "./value.js";

const EDITED_BYTES_MAX = 1 << 20;
const UNITS = [
  ["s", "seconds"],
  ["m", "minutes"],
  ["h", "hours"],
  ["d", "days"],
  ["ms", "milliseconds"],
];

let shown = null; // what is shown: its key, entry, and what to do when it changes
let reading = 0;
let preferred = ""; // the view that was chosen last

export function createEntry() {
  for (const id of ["put-unit", "extend-unit"]) {
    byId(id).append(...UNITS.map(([value, name]) => el("option", { value }, name)));
  }
  byId("put-file").addEventListener("change", ({ target }) => {
    const [file] = target.files;
    byId("put-value").disabled = file !== undefined;
    if (file?.type && byId("put-type").value === "") {
      byId("put-type").value = file.type;
    }
  });
  setInterval(() => document.hidden || showRemaining(), 1000);
  showNothing();
}

function showNothing() {
  byId("entry").replaceChildren(el("p", { class: "muted empty" }, "Choose a key to see its entry."));
}

/** Shows the entry of this key, or none if it is null. */
export async function showEntry(key, { back, onDeleted, onChanged, all = false }) {
  const mine = ++reading;
  if (key === null) {
    shown = null;
    showNothing();
    return;
  }
  const box = byId("entry");
  box.setAttribute("aria-busy", "true");
  try {
    const entry = await api.read(key, { all });
    if (mine === reading) {
      shown = { entry, back, onDeleted, onChanged };
      box.replaceChildren(...parts(shown));
      showRemaining();
    }
  } catch (refused) {
    if (mine === reading) {
      shown = null;
      box.replaceChildren(
        heading(key, back),
        el("p", { class: "empty" }, refused.code === "no_such_key" ? "There is no such entry (any more)." : refused.message),
      );
    }
  } finally {
    box.removeAttribute("aria-busy");
  }
}

function heading(key, back) {
  return el("div", { class: "heading" }, el("a", { href: back, class: "back" }, "‹ Keys"), el("h3", {}, keyText(key)));
}

function parts({ entry, back, onDeleted, onChanged }) {
  const button = (text, click, name) => el("button", { type: "button", click, ...(name ? { class: name } : {}) }, text);
  const fact = (name, value) => el("div", {}, el("dt", {}, name), value);
  return [
    heading(entry.key, back),
    el(
      "div",
      { class: "actions left" },
      button("Edit", () => edit(entry, onChanged)),
      button("Extend", () => extend(entry, onChanged)),
      button("Download", () => download(entry)),
      button("Reload", onChanged),
      button("Delete", () => remove(entry, onDeleted), "danger"),
    ),
    el(
      "dl",
      { class: "facts" },
      fact("Type", el("dd", {}, entry.type)),
      fact("Size", el("dd", {}, `${format.bytes(entry.size)}${entry.size >= 1024 ? ` (${format.count(entry.size)} bytes)` : ""}`)),
      fact("Version", el("dd", {}, entry.version)),
      fact("Expires", el("dd", { id: "remaining" })),
    ),
    value(entry),
  ];
}

function showRemaining() {
  const remaining = document.getElementById("remaining");
  if (shown === null || remaining === null) {
    return;
  }
  const { ttl, at } = shown.entry;
  const rest = ttl === undefined ? undefined : ttl - (Date.now() - at);
  setText(remaining, rest === undefined ? "never" : rest > 0 ? `in ${format.span(rest)}` : "just now");
}

function value(entry) {
  if (entry.bytes === null) {
    const showAll = () => showEntry(entry.key, { ...shown, all: true });
    return el(
      "div",
      { class: "value-box" },
      el("p", { class: "muted" }, "The value is long, so it was not read."),
      el("button", { type: "button", click: showAll }, `Read ${format.bytes(entry.size)}`),
    );
  }
  const views = viewsOf(entry.bytes, entry.type);
  const panel = el("div", { id: "value", role: "tabpanel", tabindex: "0" });
  const tabs = views.map(([name]) => el("button", { type: "button", role: "tab", "aria-controls": "value" }, name));
  const choose = (index, { focus = false } = {}) => {
    tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    });
    panel.setAttribute("aria-label", views[index][0]);
    panel.replaceChildren(views[index][1]());
    if (focus) {
      tabs[index].focus();
    }
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => {
      [preferred] = views[i];
      choose(i);
    });
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key] ?? 0;
      if (step !== 0) {
        choose((i + step + tabs.length) % tabs.length, { focus: true });
      }
    });
  });
  const kept = views.findIndex(([name]) => name === preferred);
  choose(Math.max(0, kept));
  const note = decode(entry.bytes) === null ? el("span", { class: "muted" }, "Not UTF-8") : null;
  return el("div", {}, el("div", { class: "tabs", role: "tablist", "aria-label": "The value as" }, tabs, note), panel);
}

function lifeOf(prefix) {
  const number = byId(`${prefix}-life`).value;
  return number === "" ? undefined : `${number}${byId(`${prefix}-unit`).value}`;
}

function setLife(prefix, ttl) {
  const unit = [
    ["d", 86400000],
    ["h", 3600000],
    ["m", 60000],
    ["s", 1000],
  ].find(([, millis]) => ttl >= millis * 2) ?? ["ms", 1];
  byId(`${prefix}-life`).value = ttl === undefined ? "" : Math.max(1, Math.round(ttl / unit[1]));
  byId(`${prefix}-unit`).value = ttl === undefined ? "s" : unit[0];
}

async function formValue() {
  const [file] = byId("put-file").files;
  return file ? new Uint8Array(await file.arrayBuffer()) : new TextEncoder().encode(byId("put-value").value);
}

function fillForm(title, { key, type, text, ttl, isNew }) {
  setText(byId("put-title"), title);
  byId("put-key").value = key;
  byId("put-key").readOnly = !isNew;
  byId(isNew ? "put-key" : "put-value").setAttribute("autofocus", "");
  byId(isNew ? "put-value" : "put-key").removeAttribute("autofocus");
  byId("put-type").value = type;
  byId("put-file").value = "";
  byId("put-value").value = text ?? "";
  byId("put-value").disabled = text === null;
  byId("put-value").placeholder = text === null ? "No text, or too long to be edited here: choose a file." : "";
  setLife("put", ttl);
}

function explained(refused, otherwise) {
  return refused.status === 412 ? new Error(otherwise) : refused;
}

/** Asks for a new entry; resolves with its key, or null. */
export async function openNew(prefix) {
  fillForm("New entry", { key: prefix, type: "text/plain;charset=utf-8", text: "", isNew: true });
  let key = null;
  await ask(byId("put-dialog"), async () => {
    const asked = byId("put-key").value;
    const put = { bytes: await formValue(), type: byId("put-type").value.trim(), ttl: lifeOf("put"), version: "0" };
    try {
      await api.put(asked, put);
      key = asked;
    } catch (refused) {
      throw explained(refused, "There is an entry of this key already. Choose it in the list to edit it.");
    }
  });
  if (key !== null) {
    toast("Put.");
  }
  return key;
}

async function edit(entry, onChanged) {
  const text = entry.bytes !== null && entry.bytes.length <= EDITED_BYTES_MAX ? decode(entry.bytes) : null;
  const ttl = entry.ttl === undefined ? undefined : Math.max(1, entry.ttl - (Date.now() - entry.at));
  fillForm("Edit entry", { key: entry.key, type: entry.type, text, ttl, isNew: false });
  const sent = await ask(byId("put-dialog"), async () => {
    if (text === null && byId("put-file").files.length === 0) {
      throw new Error("Choose a file with the new value.");
    }
    // A text area turns all line breaks into its own; an unchanged value stays as it was.
    const isSame = byId("put-file").files.length === 0 && byId("put-value").value === lines(text);
    const bytes = isSame ? entry.bytes : await formValue();
    const put = { bytes, type: byId("put-type").value.trim(), ttl: lifeOf("put"), version: entry.version };
    try {
      await api.put(entry.key, put);
    } catch (refused) {
      throw explained(refused, "Somebody has changed the entry meanwhile. Reload it first.");
    }
  });
  if (sent) {
    toast("Put.");
    await onChanged();
  }
}

const lines = (text) => text.replace(/\r\n?/g, "\n");

async function extend(entry, onChanged) {
  byId("extend-key").replaceChildren(keyText(entry.key));
  setLife("extend", entry.ttl);
  const sent = await ask(byId("extend-dialog"), async () => {
    try {
      await api.extend(entry, lifeOf("extend"));
    } catch (refused) {
      throw explained(refused, "Somebody has changed the entry meanwhile. Reload it first.");
    }
  });
  if (sent) {
    toast("Extended.");
    await onChanged();
  }
}

async function remove(entry, onDeleted) {
  byId("delete-key").replaceChildren(keyText(entry.key));
  const sent = await ask(byId("delete-dialog"), async () => {
    try {
      await api.remove(entry.key, entry.version);
    } catch (refused) {
      throw explained(refused, "Somebody has changed the entry meanwhile. Reload it first.");
    }
  });
  if (sent) {
    toast("Deleted.");
    await onDeleted();
  }
}

async function download(entry) {
  try {
    const { bytes } = entry.bytes ? entry : await api.read(entry.key, { all: true });
    // Bytes without a type: a browser saves them, and never shows them as a page of this server.
    const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    const name = entry.key.replace(/[^\w.-]+/g, "_").slice(-80) || "value";
    el("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  } catch (refused) {
    toast(refused.message, true);
  }
}
