// Starts the page: which view is shown, when the server is asked, what the header tells.

import * as api from "./api.js";
import { ask, banner, byId, el, setHidden, setText } from "./dom.js";
import { createEntry } from "./entry.js";
import * as format from "./format.js";
import { createKeys, openAddress } from "./keys.js";
import { Reading } from "./metrics.js";
import { createOverview, redraw, show, showOverview, takeNothing, takeReading } from "./overview.js";
import { createWatch } from "./watch.js";

const PERIOD_MILLIS = 2000;
const FIRST_MILLIS = 700; // the second reading is the first that tells rates
const PERIOD_AFTER_FAILURE_MAX = 10000;
const VIEWS = ["overview", "keys", "changes"];
const THEMES = ["auto", "light", "dark"];
const THEME = "pensieve-theme";

let timer = 0;
let readings = 0;
let failures = 0;
let lostAt = null;
let isAsking = false;
let isAskingForToken = false;

// ---- which view

function view() {
  const name = location.hash.slice(1).split("?")[0];
  return VIEWS.includes(name) ? name : VIEWS[0];
}

async function showView() {
  const shown = view();
  for (const name of VIEWS.slice(1)) {
    setHidden(byId(name), name !== shown);
  }
  showOverview(shown === "overview");
  for (const link of document.querySelectorAll("nav a[data-view]")) {
    link.dataset.view === shown ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
  document.title = `${shown[0].toUpperCase()}${shown.slice(1)} · Pensieve`;
  if (shown === "keys") {
    await openAddress(new URLSearchParams(location.hash.split("?")[1] ?? ""));
  }
}

// ---- what the server tells

function setConnection(text, state) {
  setText(byId("connection"), text);
  byId("connection").dataset.state = state;
}

async function readAll() {
  if (isAsking || isAskingForToken || document.hidden) {
    return;
  }
  isAsking = true;
  clearTimeout(timer);
  try {
    const [metrics, status, cluster] = await Promise.all([
      api.text("metrics"),
      api.json("v1/status"),
      api.json("v1/cluster"),
    ]);
    takeReading(new Reading(metrics, Date.now()));
    readings++;
    failures = 0;
    lostAt = null;
    document.body.classList.remove("stale");
    banner("lost", "");
    const version = status.version === "unknown" ? "" : ` · ${status.version}`;
    setText(byId("node"), `node ${cluster.node_id}${version} · up ${format.span(status.uptime_ms)}`);
    setConnection("● Live", "good");
    showAlarms(status.alarms ?? []);
    show(status, cluster);
  } catch (refused) {
    failed(refused);
  } finally {
    isAsking = false;
    const period = readings < 2 ? FIRST_MILLIS : PERIOD_MILLIS;
    const wait = failures === 0 ? period : Math.min(PERIOD_MILLIS * failures, PERIOD_AFTER_FAILURE_MAX);
    timer = setTimeout(readAll, wait);
  }
}

function failed(refused) {
  failures++;
  document.body.classList.add("stale");
  takeNothing();
  if (refused.status === 401 || refused.status === 403) {
    setConnection("■ No access", "bad");
    const askAgain = el("button", { type: "button", click: () => askForToken() }, "Give a token");
    banner("lost", `${refused.message} `, askAgain);
    return;
  }
  lostAt ??= new Date();
  setConnection("✖ No answer", "bad");
  banner("lost", `${refused.message} What you see is from before ${format.clock(lostAt)}. Trying again every few seconds.`);
}

function showAlarms(alarms) {
  const text = alarms
    .map(({ alarm, subject, reason }) => `${alarm}${subject ? ` (${subject})` : ""}: ${reason}`)
    .join(" · ");
  banner("alarms", text ? `⚠ ${text}` : "");
}

// ---- token

async function askForToken(problem) {
  if (isAskingForToken) {
    return;
  }
  isAskingForToken = true;
  const dialog = byId("token-dialog");
  byId("token").value = "";
  setHidden(byId("token-forget"), api.token.get() === "");
  const asked = ask(dialog, async () => {
    api.token.set(byId("token").value.trim());
    try {
      await api.json("v1/status");
    } catch (refused) {
      if (refused.status === 401 || refused.status === 403) {
        api.token.set("");
      }
      throw refused;
    }
  });
  if (problem) {
    setText(byId("token-problem"), problem);
    setHidden(byId("token-problem"), false);
  }
  const isGiven = await asked;
  isAskingForToken = false;
  setHidden(byId("token-button"), false);
  if (isGiven) {
    failures = 0;
    readAll();
    showView();
  }
}

function createToken() {
  setHidden(byId("token-button"), api.token.get() === "");
  byId("token-button").addEventListener("click", () => askForToken());
  byId("token-forget").addEventListener("click", () => {
    api.token.set("");
    byId("token-dialog").close();
    readAll();
  });
  api.whenUnauthorized((refused, sent) => {
    askForToken(sent ? "The server does not know this token (any more)." : "");
  });
}

// ---- theme

function storedTheme() {
  try {
    const stored = localStorage.getItem(THEME);
    return THEMES.includes(stored) ? stored : THEMES[0];
  } catch {
    return THEMES[0]; // the browser keeps nothing for us
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  setText(byId("theme"), `Theme: ${theme}`);
  redraw();
}

function createTheme() {
  let theme = storedTheme();
  setTheme(theme);
  byId("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    setTheme(theme);
    try {
      localStorage.setItem(THEME, theme);
    } catch {
      // Then it is the browser's choice again the next time.
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

createOverview();
createTheme();
createToken();
createEntry();
createKeys();
createWatch();
addEventListener("hashchange", showView);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    clearTimeout(timer);
    takeNothing();
  } else {
    readAll();
  }
});
showView();
readAll();
