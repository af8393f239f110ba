// Makes nodes. Text only ever becomes text nodes: nothing here parses markup, and the page's policy
// forbids it. So no key and no value can become an element.

export const byId = (id) => document.getElementById(id);

/** Creates an element. Functions become listeners, true an empty attribute, false none. */
export function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") {
      element.addEventListener(name, value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets a text, and touches the document only if it is another one. */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) {
    element.hidden = hidden;
  }
}

// What a reader would not see, or what would reorder the text around it: control characters, marks
// of direction, characters without width, tags. Line breaks and tabs are left alone in values.
const UNSEEN =
  "\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160" +
  "\\u17b4\\u17b5\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb" +
  "\\u{e0000}-\\u{e007f}";
const IN_VALUES = new RegExp(`([${UNSEEN}\\r])\\1*`, "gu");
const IN_KEYS = new RegExp(`([${UNSEEN}\\t\\n\\r])\\1*`, "gu");

// As many labels get a box of their own; more of them would keep the browser busy for minutes.
const BOXES_MAX = 300;

/** Returns the text as nodes, with a label in place of each run of an unseen character. */
export function visible(text, { multiline = false } = {}) {
  const nodes = document.createDocumentFragment();
  let end = 0;
  let boxes = 0;
  let plain = "";
  for (const run of text.matchAll(multiline ? IN_VALUES : IN_KEYS)) {
    if (multiline && run[0] === "\r" && text[run.index + 1] === "\n") {
      continue; // a line break of Windows
    }
    plain += text.slice(end, run.index);
    const code = run[1].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    const times = run[0].length / run[1].length;
    const label = `U+${code}${times > 1 ? `×${times}` : ""}`;
    if (boxes++ < BOXES_MAX) {
      nodes.append(plain, el("span", { class: "unseen-char" }, label));
      plain = "";
    } else {
      plain += `[${label}]`;
    }
    end = run.index + run[0].length;
  }
  nodes.append(plain + text.slice(end));
  return nodes;
}

/** An element that shows a key: isolated, so that its direction stays its own. */
export const keyText = (key) => el("bdi", { class: "key" }, visible(key));

// More of them would lie over what one wants to click next.
const TOASTS_MAX = 2;

/** Shows a message at the edge of the page for a while. */
export function toast(text, isBad = false) {
  const shown = el("p", { class: isBad ? "toast bad" : "toast" }, text);
  const close = () => shown.remove();
  shown.append(el("button", { type: "button", class: "quiet", "aria-label": "Close", click: close }, "×"));
  const box = byId("toasts");
  while (box.childElementCount >= TOASTS_MAX) {
    box.firstElementChild.remove();
  }
  box.append(shown);
  setTimeout(close, isBad ? 15000 : 5000);
}

/** Shows a banner below the header, or takes it away if there is no text. */
export function banner(id, text, ...more) {
  const old = document.getElementById(id);
  if (!text) {
    old?.remove();
  } else if (old?.dataset.text !== text) {
    const made = el("p", { id, class: "banner bad", role: "alert", "data-text": text }, text, ...more);
    old ? old.replaceWith(made) : byId("banners").append(made);
  }
}

/** Opens a dialog with a form; resolves with true when it is sent, with false when it is left. */
export function ask(dialog, submit) {
  const form = dialog.querySelector("form");
  const problem = dialog.querySelector(".problem");
  setHidden(problem, true);
  return new Promise((resolve) => {
    let sent = false;
    let busy = false;
    const onSubmit = async (event) => {
      event.preventDefault();
      if (busy) {
        return;
      }
      busy = true;
      form.setAttribute("aria-busy", "true");
      try {
        await submit();
        sent = true;
        dialog.close();
      } catch (refused) {
        problem.textContent = refused.message;
        setHidden(problem, false);
      } finally {
        busy = false;
        form.removeAttribute("aria-busy");
      }
    };
    const onClick = (event) => {
      if (event.target.closest("[data-close]")) {
        dialog.close();
      }
    };
    form.addEventListener("submit", onSubmit);
    dialog.addEventListener("click", onClick);
    dialog.addEventListener(
      "close",
      () => {
        form.removeEventListener("submit", onSubmit);
        dialog.removeEventListener("click", onClick);
        resolve(sent);
      },
      { once: true },
    );
    dialog.showModal();
  });
}
