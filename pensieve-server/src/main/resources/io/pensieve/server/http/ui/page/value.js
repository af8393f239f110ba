// Shows the bytes of a value as text, JSON, hex or a picture. Whatever they are, they stay data:
// text nodes, and for pictures pixels that the browser has decoded.

import { el, visible } from "./dom.js";
import * as format from "./format.js";

const TEXT_STEP = 32 << 10; // characters at once
const HEX_STEP = 4 << 10; // bytes at once
const JSON_CHARS_MAX = 512 << 10;
const PIXELS_MAX = 40e6; // a small file may unfold to gigabytes

/** The text, or null if the bytes are not UTF-8. */
export function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

const isDelimiter = (c) => " \t\r\n,:[]{}\"".includes(c);

/** Splits JSON that is known to be valid: strings, other scalars and punctuation, as they stand. */
function* tokens(text) {
  let i = 0;
  while (i < text.length) {
    const c = text[i];
    let end = i + 1;
    if (c === '"') {
      while (text[end] !== '"') {
        end += text[end] === "\\" ? 2 : 1;
      }
      end++;
    } else if (!isDelimiter(c)) {
      while (end < text.length && !isDelimiter(text[end])) {
        end++;
      }
    }
    if (!" \t\r\n".includes(c)) {
      yield text.slice(i, end);
    }
    i = end;
  }
}

/**
 * Indents JSON without changing a literal: JSON.parse would round large numbers and drop repeated
 * fields. Null if the text is not JSON.
 */
export function indentJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let out = "";
  let depth = 0;
  let previous = "";
  const newLine = () => `\n${"  ".repeat(Math.min(depth, 40))}`;
  for (const token of tokens(text)) {
    if (token === "}" || token === "]") {
      depth--;
      out += previous === "{" || previous === "[" ? token : newLine() + token;
    } else {
      if (previous === "{" || previous === "[" || previous === ",") {
        out += newLine();
      }
      out += token === ":" ? ": " : token;
      depth += token === "{" || token === "[" ? 1 : 0;
    }
    previous = token;
  }
  return out;
}

/** What kind of picture the bytes are, by their first bytes and not by what their writer says. */
export function pictureOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = (...first) => bytes.length > first.length && first.every((byte, i) => bytes[i] === byte);
  const ascii = (from, to) => String.fromCharCode(...bytes.subarray(from, to));
  if (starts(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a) && bytes.length >= 24) {
    return { type: "image/png", width: view.getUint32(16), height: view.getUint32(20) };
  }
  if (["GIF87a", "GIF89a"].includes(ascii(0, 6)) && bytes.length >= 10) {
    return { type: "image/gif", width: view.getUint16(6, true), height: view.getUint16(8, true) };
  }
  if (starts(0xff, 0xd8, 0xff)) {
    return jpeg(bytes, view);
  }
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP" && bytes.length >= 30) {
    return webp(ascii(12, 16), bytes, view);
  }
  return null;
}

function jpeg(bytes, view) {
  for (let i = 2; i + 9 < bytes.length && bytes[i] === 0xff; ) {
    const marker = bytes[i + 1];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      return { type: "image/jpeg", width: view.getUint16(i + 7), height: view.getUint16(i + 5) };
    }
    i += 2 + view.getUint16(i + 2);
  }
  return null;
}

function webp(chunk, bytes, view) {
  const uint24 = (at) => bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
  if (chunk === "VP8X") {
    return { type: "image/webp", width: uint24(24) + 1, height: uint24(27) + 1 };
  }
  if (chunk === "VP8L") {
    const bits = view.getUint32(21, true);
    return { type: "image/webp", width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  if (chunk === "VP8 ") {
    const side = (at) => view.getUint16(at, true) & 0x3fff;
    return { type: "image/webp", width: side(26), height: side(28) };
  }
  return null;
}

/** A part of something long, with a button for more. */
function stepwise(total, step, part, unit) {
  const box = el("div", { class: "value-box" });
  let shown = 0;
  const more = el("button", { type: "button" });
  const showMore = () => {
    const end = Math.min(total, shown + step);
    box.insertBefore(part(shown, end), more);
    shown = end;
    more.hidden = shown >= total;
    more.textContent = `Show more: ${unit(shown)} of ${unit(total)} shown`;
  };
  more.addEventListener("click", showMore);
  box.append(more);
  showMore();
  return box;
}

function textBox(text, name) {
  const cut = (from, to) => {
    // Not between the two halves of a character.
    const fix = (at) => (at > 0 && at < text.length && /[\udc00-\udfff]/.test(text[at]) ? at - 1 : at);
    return el("pre", { class: name, dir: "auto" }, visible(text.slice(fix(from), fix(to)), { multiline: true }));
  };
  return text === ""
    ? el("p", { class: "muted empty" }, "The value is empty.")
    : stepwise(text.length, TEXT_STEP, cut, (n) => `${format.count(n)} characters`);
}

const hex = (byte, width) => byte.toString(16).padStart(width, "0");

/** The classic dump: offset, sixteen bytes, and what of them is visible ASCII. */
export function hexDump(bytes, from, to) {
  const lines = [];
  for (let at = from; at < to; at += 16) {
    const row = bytes.subarray(at, Math.min(at + 16, to));
    const digits = Array.from({ length: 16 }, (_, i) => (i < row.length ? hex(row[i], 2) : "  "));
    const letters = Array.from(row, (byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : "·"));
    lines.push(`${hex(at, 8)}  ${digits.slice(0, 8).join(" ")}  ${digits.slice(8).join(" ")}  ${letters.join("")}\n`);
  }
  return lines.join("");
}

function hexBox(bytes) {
  return bytes.length === 0
    ? el("p", { class: "muted empty" }, "The value is empty.")
    : stepwise(bytes.length, HEX_STEP, (from, to) => el("pre", { class: "hex", dir: "ltr" }, hexDump(bytes, from, to)), format.bytes);
}

function pictureBox(bytes, picture) {
  const { width, height, type } = picture;
  const caption = el("p", { class: "muted" }, `${type}, ${format.count(width)} × ${format.count(height)}`);
  const box = el("div", { class: "value-box" }, caption);
  if (width * height > PIXELS_MAX || width * height === 0) {
    box.append(el("p", {}, "It is too large to be shown here."));
    return box;
  }
  // The browser decodes these four formats to pixels. Nothing of them becomes part of the document.
  createImageBitmap(new Blob([bytes], { type })).then(
    (bitmap) => {
      const canvas = el("canvas", { role: "img", "aria-label": `The value as a picture, ${width} by ${height}` });
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      bitmap.close();
      box.append(el("div", { class: "picture" }, canvas));
    },
    () => box.append(el("p", {}, "It begins like a picture, and the browser cannot decode it.")),
  );
  return box;
}

/** The views that these bytes have, the best one first: name and a function that makes it. */
export function viewsOf(bytes, type) {
  const text = decode(bytes);
  const picture = pictureOf(bytes);
  const isJsonType = /[/+]json\b/.test(type);
  const mayBeJson = text !== null && text.length <= JSON_CHARS_MAX && /^\s*[[{"\d\-tfn]/.test(text);
  const json = mayBeJson && (isJsonType || /^\s*[[{]/.test(text)) ? indentJson(text) : null;
  const views = [];
  if (picture !== null) {
    views.push(["Picture", () => pictureBox(bytes, picture)]);
  }
  if (json !== null) {
    views.push(["JSON", () => textBox(json, "json")]);
  }
  if (text !== null && picture === null) {
    views.push(["Text", () => textBox(text, "text")]);
  }
  views.push(["Hex", () => hexBox(bytes)]);
  return views;
}
