// What UiLooksTest asks the page: contrast as in WCAG 2, and what the keyboard reaches.

const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const known = new Map();

const channels = (colour) => {
  if (!known.has(colour)) {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    known.set(colour, [...pixel.getImageData(0, 0, 1, 1).data]);
  }
  return known.get(colour);
};

const luminance = ([r, g, b]) => {
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
};

const ratio = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

// The first background below that is not transparent; none is half transparent.
const background = (element) => {
  for (let at = element; at !== null; at = at.parentElement) {
    const colour = channels(getComputedStyle(at).backgroundColor);
    if (colour[3] === 255) {
      return colour;
    }
  }
  return [255, 255, 255, 255];
};

const isSeen = (element) => element.checkVisibility() && !element.closest(".unseen, .skip");

function luminanceOfPage() {
  return luminance(background(document.body));
}

/** The texts whose contrast with what is behind them is below 4.5 to 1. */
function faintTexts() {
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if ((hasText || element.matches("input, textarea, select")) && isSeen(element)) {
      const found = ratio(channels(getComputedStyle(element).color), background(element));
      if (found < 4.5) {
        faint.push(`${found.toFixed(2)} ${element.tagName}.${element.className} ${element.textContent}`);
      }
    }
  }
  return faint;
}

/** The lines of plots, and borders of controls, whose contrast is below 3 to 1. */
function faintLines() {
  const style = getComputedStyle(document.documentElement);
  const panel = channels(style.getPropertyValue("--panel"));
  return ["--line-1", "--line-2", "--line-3", "--control", "--accent", "--bad", "--good"]
    .map((name) => [name, ratio(channels(style.getPropertyValue(name)), panel)])
    .filter(([, found]) => found < 3)
    .map(([name, found]) => `${found.toFixed(2)} ${name}`);
}

const CONTROLS = 'a[href], button, input, select, textarea, [tabindex="0"]';

/** What a person can operate; of tabs only the chosen one is a stop. */
function controls() {
  return [...document.querySelectorAll(CONTROLS)].filter(
    (element) => element.checkVisibility() && !element.disabled && element.tabIndex >= 0,
  );
}

let reached = new Map();

/** Notes where the focus is, and whether that can be seen. */
function noteFocus() {
  const style = getComputedStyle(document.activeElement);
  reached.set(document.activeElement, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
}

/** What the focus has not come to, or come to unseen; begins anew. */
function missedControls() {
  const missed = controls()
    .filter((element) => reached.get(element) !== true)
    .map((element) => `${reached.has(element) ? "unseen" : "missed"} ${element.outerHTML.slice(0, 120)}`);
  reached = new Map();
  return missed;
}
