// Lists keys by prefix, a page at a time, with a delimiter as folders.

import * as api from "./api.js";
import { byId, el, keyText, setHidden, setText, visible } from "./dom.js";
import { openNew, showEntry } from "./entry.js";
import * as format from "./format.js";

const PAGE_KEYS = 100;

let place = null; // which listing is shown: prefix and delimiter
let cursors = [undefined]; // of this page and all before it
let listing = 0; // counts requests, so that only the answer to the last one is shown

/** The address of a listing, or of an entry in it, within this page. */
function address({ prefix, delimiter }, key) {
  const query = new URLSearchParams();
  if (prefix) {
    query.set("prefix", prefix);
  }
  if (delimiter !== "/") {
    query.set("delimiter", delimiter);
  }
  if (key !== undefined) {
    query.set("key", key);
  }
  const text = query.toString();
  return `#keys${text ? `?${text}` : ""}`;
}

export const addressOfKey = (key) => {
  const prefix = key.slice(0, key.lastIndexOf("/") + 1);
  return address({ prefix, delimiter: "/" }, key);
};

const isSamePlace = (a, b) => a !== null && a.prefix === b.prefix && a.delimiter === b.delimiter;

export function createKeys() {
  byId("prefix-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const asked = { prefix: byId("prefix").value, delimiter: byId("delimiter").value };
    if (location.hash === address(asked)) {
      list(asked, [undefined]);
    } else {
      location.hash = address(asked);
    }
  });
  byId("next").addEventListener("click", () => list(place, [...cursors, byId("next").cursor]));
  byId("previous").addEventListener("click", () => list(place, cursors.slice(0, -1)));
  byId("new-entry").addEventListener("click", async () => {
    const key = await openNew(place?.prefix ?? "");
    if (key !== null) {
      const at = key.startsWith(place.prefix) ? place : { prefix: "", delimiter: place.delimiter };
      await changed(address(at, key));
    }
  });
  byId("key-list").addEventListener("keydown", moveByArrows);
}

// The list again, and then the address: that of an entry shows it.
async function changed(target) {
  if (location.hash === target) {
    await list(place, cursors);
    await openAddress(new URLSearchParams(target.split("?")[1] ?? ""));
  } else {
    place = null;
    location.hash = target;
  }
}

function moveByArrows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step !== undefined) {
    const links = [...byId("key-list").querySelectorAll("a")];
    const next = links[links.indexOf(document.activeElement) + step];
    if (next !== undefined) {
      event.preventDefault();
      next.focus();
    }
  }
}

/** Shows what an address of this page names. */
export async function openAddress(query) {
  const asked = { prefix: query.get("prefix") ?? "", delimiter: query.get("delimiter") ?? "/" };
  const key = query.get("key");
  document.body.classList.toggle("entry-open", key !== null);
  const isNew = !isSamePlace(place, asked);
  const listed = isNew ? list(asked, [undefined]) : Promise.resolve();
  mark(key);
  await showEntry(key, {
    back: address(asked),
    onDeleted: () => changed(address(asked)),
    onChanged: () => changed(address(asked, key)),
  });
  await listed;
  mark(key);
}

function mark(key) {
  for (const link of byId("key-list").querySelectorAll("a")) {
    const isShown = key !== null && link.key === key;
    isShown ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  }
}

async function list(asked, through) {
  const mine = ++listing;
  place = asked;
  byId("prefix").value = asked.prefix;
  byId("delimiter").value = asked.delimiter;
  showCrumbs(asked);
  byId("key-list").setAttribute("aria-busy", "true");
  const query = { prefix: asked.prefix, delimiter: asked.delimiter, limit: PAGE_KEYS, cursor: through.at(-1) };
  try {
    const [page, counted] = await Promise.all([
      api.json("v1/keys", { query }),
      api.json("v1/count", { query: { prefix: asked.prefix } }),
    ]);
    if (mine === listing) {
      cursors = through;
      showPage(asked, page, counted.count);
    }
  } catch (refused) {
    if (mine === listing) {
      place = null;
      setText(byId("count"), refused.message);
      byId("key-list").replaceChildren();
      setHidden(byId("next"), true);
      setHidden(byId("previous"), true);
    }
  } finally {
    byId("key-list").removeAttribute("aria-busy");
  }
}

function showPage(asked, page, count) {
  const below = (text) => text.slice(asked.prefix.length);
  const folders = page.prefixes.map((prefix) =>
    el(
      "li",
      {},
      el("a", { href: address({ ...asked, prefix }), class: "folder" }, el("bdi", { class: "key" }, visible(below(prefix)))),
    ),
  );
  const keys = page.keys.map((key) => {
    const name = below(key) === "" ? el("i", { class: "muted" }, "(the prefix itself)") : el("bdi", { class: "key" }, visible(below(key)));
    const link = el("a", { href: address(asked, key) }, name);
    link.key = key;
    return el("li", {}, link);
  });
  byId("key-list").replaceChildren(...folders, ...keys);
  const where = asked.prefix === "" ? "" : " with this prefix";
  setText(byId("count"), count === 0 ? `No keys${where} yet.` : `${format.count(count)} ${count === 1 ? "key" : "keys"}${where}`);
  byId("next").cursor = page.cursor;
  setHidden(byId("next"), page.cursor === undefined);
  setHidden(byId("previous"), cursors.length === 1);
  setText(byId("page-number"), cursors.length > 1 || page.cursor !== undefined ? `Page ${cursors.length}` : "");
}

function showCrumbs({ prefix, delimiter }) {
  const links = [el("a", { href: address({ prefix: "", delimiter }) }, "All keys")];
  if (delimiter !== "") {
    for (let at = prefix.indexOf(delimiter); at >= 0; at = prefix.indexOf(delimiter, at + delimiter.length)) {
      const upTo = prefix.slice(0, at + delimiter.length);
      const from = links.length === 1 ? 0 : prefix.lastIndexOf(delimiter, at - 1) + delimiter.length;
      links.push(el("a", { href: address({ prefix: upTo, delimiter }) }, keyText(prefix.slice(from, at + delimiter.length))));
    }
  }
  byId("crumbs").replaceChildren(...links);
}
