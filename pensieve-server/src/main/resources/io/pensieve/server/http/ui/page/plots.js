// The plots, drawn by uPlot. Each line has a colour of the palette of Okabe and Ito, which colour-
// blind people can tell apart, and a dash of its own.

import { byId, el, setText } from "./dom.js";
import * as format from "./format.js";

const HEIGHT = 150;
const DASHES = [[], [7, 4], [2, 3]];

const PLOTS = [
  {
    id: "requests",
    title: "Requests of clients",
    format: format.rate,
    lines: [
      { label: "all", of: "requests" },
      { label: "4xx and 5xx", of: "refused" },
    ],
  },
  {
    id: "latency",
    title: "Latency",
    format: format.seconds,
    lines: [
      { label: "p50", of: "p50" },
      { label: "p99", of: "p99" },
    ],
  },
  {
    id: "hits",
    title: "Hit ratio",
    format: format.percent,
    max: 1,
    lines: [{ label: "hits of reads", of: "hitRatio" }],
  },
  {
    id: "entries",
    title: "Entries",
    format: format.count,
    lines: [{ label: "held", of: "entries" }],
  },
  {
    id: "departures",
    title: "Evictions and expiries",
    format: format.rate,
    lines: [
      { label: "evicted", of: "evictions" },
      { label: "expired", of: "expiries" },
    ],
  },
  {
    id: "heap",
    title: "Heap",
    format: format.bytes,
    isBinary: true,
    lines: [
      { label: "used", of: "heap" },
      { label: "entries", of: "weight" },
    ],
  },
  {
    id: "log-bytes",
    title: "Log",
    format: format.bytes,
    isBinary: true,
    lines: [
      { label: "at its start", of: "logBase" },
      { label: "changes since", of: "logChanges" },
    ],
  },
  {
    id: "forces",
    title: "Forces of the disk",
    format: format.rate,
    lines: [{ label: "forces", of: "forces" }],
  },
];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Powers of two where bytes are counted, else the steps that uPlot knows.
const binarySteps = Array.from({ length: 42 }, (_, power) => 2 ** power);

class Plot {
  constructor(definition) {
    this.definition = definition;
    this.canvas = el("div", { class: "canvas", "aria-hidden": "true" });
    this.values = definition.lines.map(() => el("b"));
    this.summary = el("figcaption", { class: "unseen" });
    const legend = definition.lines.map((line, i) =>
      el("li", {}, el("i", { class: `swatch line-${i + 1}` }), `${line.label} `, this.values[i]),
    );
    const heading = [el("h3", {}, definition.title), el("ul", { class: "legend" }, legend)];
    this.figure = el("figure", { class: "panel plot", id: `plot-${definition.id}` }, ...heading, this.canvas, this.summary);
    byId("plots").append(this.figure);
    this.data = [[], ...definition.lines.map(() => [])];
    this.chart = null;
  }

  // Made when it is seen first: before that it has no width.
  #create(width) {
    const axis = {
      stroke: () => colour("--muted"),
      grid: { stroke: () => colour("--grid"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    const { definition } = this;
    const ceiling = definition.max;
    this.chart = new globalThis.uPlot(
      {
        width,
        height: HEIGHT,
        padding: [8, 24, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, sync: { key: "overview" }, points: { size: 6 } },
        scales: {
          x: { time: true, range: () => this.range },
          y: { range: (_, __, max) => [0, ceiling ?? (max > 0 ? max * 1.08 : 1)] },
        },
        axes: [
          { ...axis, space: 64, size: 28, values: "{HH}:{mm}:{ss}" },
          {
            ...axis,
            size: 62,
            space: 34,
            values: (_, ticks) => ticks.map(definition.format),
            ...(definition.isBinary ? { incrs: binarySteps } : {}),
          },
        ],
        series: [
          {},
          ...definition.lines.map((line, i) => ({
            label: line.label,
            stroke: () => colour(`--line-${i + 1}`),
            width: 2,
            dash: DASHES[i],
            points: { show: false },
          })),
        ],
        hooks: { setCursor: [(chart) => this.#showValues(chart.cursor.idx)] },
      },
      this.data,
      this.canvas,
    );
  }

  #showValues(index) {
    const at = index ?? this.data[0].length - 1;
    this.values.forEach((value, i) => setText(value, this.definition.format(this.data[i + 1][at] ?? undefined)));
  }

  show(samples, range) {
    this.range = range;
    this.data = [
      samples.map((sample) => sample.at),
      ...this.definition.lines.map(({ of }) => samples.map((sample) => sample[of] ?? null)),
    ];
    const width = this.canvas.clientWidth;
    if (width > 0 && this.chart === null && samples.length > 0) {
      this.#create(width);
    } else if (this.chart !== null) {
      if (width > 0 && width !== this.chart.width) {
        this.chart.setSize({ width, height: HEIGHT });
      }
      this.chart.setData(this.data);
    }
    if (this.chart?.cursor.idx === null || this.chart?.cursor.idx === undefined) {
      this.#showValues(null);
    }
    setText(this.summary, this.#summary());
  }

  // What the picture shows, in words.
  #summary() {
    const { definition, data } = this;
    const lines = definition.lines.map(({ label }, i) => {
      const known = data[i + 1].filter((value) => value !== null);
      if (known.length === 0) {
        return `${label}: nothing yet`;
      }
      const [now, low, high] = [known[known.length - 1], Math.min(...known), Math.max(...known)];
      return `${label}: ${definition.format(now)} now, from ${definition.format(low)} to ${definition.format(high)}`;
    });
    return `${definition.title}. ${lines.join("; ")}.`;
  }
}

let plots = [];
let last = null;

export function createPlots() {
  plots = PLOTS.map((definition) => new Plot(definition));
  new ResizeObserver(() => redraw()).observe(byId("plots"));
}

/** Shows these samples, the oldest first, within a range of seconds. */
export function showPlots(samples, range) {
  last = [samples, range];
  plots.forEach((plot) => plot.show(samples, range));
}

/** Draws again, in the colours and the width of now. */
export function redraw() {
  if (last !== null) {
    showPlots(...last);
  }
}
