/** The report's chart: bars as an SVG that reads on a light page and on a dark one. */
import type { Figures, Row, Table } from "./figures.ts";

/** The tables that are drawn, by the beginnings of their names. */
const DRAWN = [
  "Confirmed publishing, 256",
  "Consuming, acks alone",
  "Effects exactly once",
  "From `publish`",
];

const WIDTH = 760;
const LABEL_WIDTH = 230;
const VALUE_WIDTH = 90;
const BAR = 16;
const LINE = 24;
const HEAD = 34;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600 }
  .ours { fill: #1a7f37 }
  .other { fill: #8c959f }
  .spread { stroke: #1f2328; stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { fill: #3fb950 }
    .other { fill: #6e7681 }
    .spread { stroke: #e6edf3 }
  }`;

/** The chart of what was measured of {@link DRAWN}. The first bar of each part is ours. */
export function chart({ tables }: Figures): string {
  const drawn = tables.filter(({ name }) => DRAWN.some((beginning) => name.startsWith(beginning)));
  let y = 0;
  const parts = drawn.map((table) => {
    const part = drawTable(table, y);
    y += HEAD + table.rows.length * LINE;
    return part;
  });
  const title = "Events a second, ours and the others': medians, and the spread of their turns";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 10}" width="${WIDTH}" ` +
    `height="${y + 10}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<style>${STYLE}\n</style>`,
    ...parts,
    "</svg>",
  ].join("\n") + "\n";
}

function drawTable({ name, unit, rows }: Table, top: number): string {
  const most = Math.max(...rows.map(({ spread }) => spread.max));
  const heading = `<text class="head" x="0" y="${top + 22}">${escape(name)}, ${unit}</text>`;
  const bars = rows.map((row, n) => drawBar(row, top + HEAD + n * LINE, most, n === 0));
  return [heading, ...bars].join("\n");
}

function drawBar({ what, spread }: Row, y: number, most: number, isOurs: boolean): string {
  const scale = (value: number) =>
    Math.max(1, Math.round(value / most * (WIDTH - LABEL_WIDTH - VALUE_WIDTH)));
  const x = (value: number) => LABEL_WIDTH + scale(value);
  const middle = y + BAR / 2;
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${y + 13}" text-anchor="end">${escape(what)}</text>`,
    `<rect class="${isOurs ? "ours" : "other"}" x="${LABEL_WIDTH}" y="${y}" ` +
    `width="${scale(spread.median)}" height="${BAR}" rx="2"/>`,
    `<line class="spread" x1="${x(spread.min)}" y1="${middle}" x2="${
      x(spread.max)
    }" y2="${middle}"/>`,
    `<text x="${x(spread.max) + 8}" y="${y + 13}">${number(spread.median)}</text>`,
  ].join("\n");
}

/** `12,345` */
export function number(value: number): string {
  return value.toLocaleString("en-US");
}

function escape(text: string): string {
  return text.replaceAll("`", "").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
