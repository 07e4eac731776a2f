// A live chart (uPlot), and the same as a table. Only strings cross the border to Python.
//
//   charts.create(element, options) -> a chart
//     options, as JSON: {"title", "rows": [{…}, …] or [number, …], "x": field or null, "y": field, [fields] or null, "last": n,
//                       "times": true where x is seconds since 1970, whatever the year}
//   chart.update(rows)   these rows instead         chart.append(rows)   these after the others, the last n of all kept
//   chart.destroy()
//
// With no x the rows are counted; numbers that are seconds since 1970 are shown as times. With no y, every field of the
// first rows that holds a number is a series. It is drawn once a frame, however often it is told of rows.

import "./locale.js";
import uPlot from "uplot";

const HEIGHT = 240;
const LAST = 500;
const TABLE_ROWS = 100;
const COLORS = 6; // --series-1 … in notebook.css
const MOST_SECONDS = 8.64e12; // the furthest that a Date tells, before 1970 or after
const [EARLIEST, LATEST] = [1e9, 1e10]; // seconds since 1970 that a row's x can mean: 2001 to 2286
// of a time axis, as uPlot has it: from how many seconds on between two ticks; what a tick says; and below it, where another
// year, month, day, hour, minute or second begins
const [DAY, MINUTE] = ["\n{YYYY}-{MM}-{DD}", "\n{YYYY}-{MM}-{DD} {HH}:{mm}"];
const TIMES = [
  [31536000, "{YYYY}", null, null, null, null, null, null, 1],
  [2419200, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", DAY, null, DAY, null, null, null, 1],
  [1, ":{ss}", MINUTE, null, MINUTE, null, "\n{HH}:{mm}", null, 1],
  [0.001, ":{ss}.{fff}", MINUTE, null, MINUTE, null, "\n{HH}:{mm}", null, 1],
];
const dark = matchMedia("(prefers-color-scheme: dark)");

window.charts = { create: (element, options) => new Chart(element, parsed(options) ?? {}) };

class Chart {
  // a notebook that anybody made may hold anything for an option
  constructor(element, { title, rows, x, y, last, times }) {
    this.element = element;
    this.title = typeof title === "string" ? title : "";
    this.x = typeof x === "string" ? x : null;
    this.last = Number.isInteger(last) && last > 0 ? last : LAST;
    this.times = times === true;
    const names = [y].flat().filter((name) => typeof name === "string");
    this.wanted = names.length ? [...new Set(names)] : null;
    this.names = [];
    this.rows = [];
    this.count = 0; // of rows that are gone, so that counted ones go on
    this.plot = null;
    this.frame = 0;
    this.build();
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.stage);
    this.recolor = () => this.redraw(true);
    dark.addEventListener("change", this.recolor);
    this.take(rows);
  }

  update(rows) {
    this.rows = [];
    this.count = 0;
    this.take(parsed(rows));
  }

  append(rows) {
    this.take(parsed(rows));
  }

  destroy() {
    painting.cancel(this.frame);
    this.resized.disconnect();
    dark.removeEventListener("change", this.recolor);
    this.plot?.destroy();
    this.element.replaceChildren();
  }

  take(rows) {
    const fresh = Array.isArray(rows) ? rows : [];
    this.rows = this.rows.concat(fresh.map((row) => (typeof row === "object" && row !== null ? row : { value: row })));
    const over = this.rows.length - this.last;
    if (over > 0) {
      this.rows.splice(0, over);
      this.count += over;
    }
    this.redraw(false);
  }

  redraw(anew) {
    this.anew ||= anew;
    this.frame ||= painting.request(() => {
      this.frame = 0;
      this.draw();
    });
  }

  build() {
    const figure = make("figure", "chart");
    const head = make("figcaption", "chart-head");
    head.append(make("span", "chart-title", this.title));
    this.toggle = make("button", "chart-toggle", "Show as table");
    this.toggle.type = "button";
    this.toggle.dataset.testid = "chart-toggle";
    this.toggle.addEventListener("click", () => this.showTable(this.table.hidden));
    head.append(this.toggle);
    this.stage = make("div", "chart-stage");
    this.stage.setAttribute("role", "img");
    this.stage.ariaLive = "off"; // where it stands in a live region, not each point is read aloud
    this.table = make("div", "chart-table");
    this.table.ariaLive = "off";
    this.table.tabIndex = 0;
    this.table.hidden = true;
    this.note = make("p", "chart-note");
    figure.append(head, this.note, this.stage, this.table);
    this.element.replaceChildren(figure);
  }

  showTable(shown) {
    this.table.hidden = !shown;
    this.stage.hidden = shown;
    this.toggle.textContent = shown ? "Show as chart" : "Show as table";
    this.redraw(false);
  }

  // a column for x, sorted, as uPlot takes it, and one for each series; what is no number is a gap
  columns() {
    const number = (value) => (typeof value === "number" && Number.isFinite(value) ? value : null);
    const xs = this.rows.map((row, index) => (this.x === null ? this.count + index : number(row[this.x])));
    const order = [...xs.keys()].filter((index) => xs[index] !== null).sort((one, other) => xs[one] - xs[other]);
    const column = (name) => order.map((index) => number(this.rows[index][name]));
    return [order.map((index) => xs[index]), ...this.names.map(column)];
  }

  findNames() {
    if (this.wanted) return this.wanted;
    const found = new Set(this.names);
    for (const row of this.rows) {
      for (const [name, value] of Object.entries(row)) if (typeof value === "number" && name !== this.x) found.add(name);
    }
    return [...found];
  }

  draw() {
    const names = this.findNames();
    const columns = ((this.names = names), this.columns());
    // what no Date can tell would have uPlot look for the next tick for ever
    const areTimes = columns[0].every((x) => (this.times ? Math.abs(x) < MOST_SECONDS : x >= EARLIEST && x < LATEST));
    const isTime = columns[0].length > 0 && areTimes && this.x !== null;
    const shape = JSON.stringify([names, isTime]);
    this.describe(columns, isTime);
    if (!this.table.hidden) this.fillTable(columns, isTime);
    if (this.stage.hidden || !this.stage.clientWidth) return; // drawn when it is seen again
    if (this.anew || shape !== this.shape) this.makePlot(names, isTime);
    this.anew = false;
    this.shape = shape;
    this.plot.setData(columns);
  }

  makePlot(names, isTime) {
    this.plot?.destroy();
    const { fontFamily } = getComputedStyle(this.element);
    const color = (name) => computedColor(this.element, name);
    const axis = {
      stroke: color("--quiet"),
      font: `12px ${fontFamily}`,
      grid: { stroke: color("--edge"), width: 1 },
      ticks: { stroke: color("--edge"), width: 1 },
    };
    // the legend tells of the row that is pointed at, and else of the last one
    const series = names.map((name, index) => ({
      label: name,
      stroke: color(`--series-${(index % COLORS) + 1}`),
      width: 2,
      points: { show: this.rows.length < 40 },
      value: (plot, value, number, row) => short((row === null ? plot.data[number].at(-1) : value) ?? null),
    }));
    const options = {
      width: this.stage.clientWidth,
      height: HEIGHT,
      scales: { x: { time: isTime } },
      axes: [isTime ? { ...axis, values: TIMES } : axis, { ...axis, size: 56, values: (_, splits) => splits.map(short) }],
      series: [{ label: this.x ?? "row", value: (plot, x) => shownX(x ?? plot.data[0].at(-1), isTime) }, ...series],
      cursor: { drag: { x: true, y: false } },
    };
    this.plot = new uPlot(options, [[], ...names.map(() => [])], this.stage);
  }

  resize() {
    const width = this.stage.clientWidth;
    if (!width) return;
    if (this.plot) this.plot.setSize({ width, height: HEIGHT });
    else this.redraw(false);
  }

  describe(columns, isTime) {
    const [xs, ...values] = columns;
    const latest = this.names.map((name, index) => `${name} ${short(values[index].at(-1) ?? null)}`).join(", ");
    const at = xs.length ? ` at ${this.x ?? "row"} ${shownX(xs.at(-1), isTime)}` : "";
    const text = `Chart${this.title && ` of ${this.title}`}: ${counted(xs.length, "point")}${latest && `; the last: ${latest}${at}`}`;
    this.stage.setAttribute("aria-label", text);
    this.note.textContent = this.rows.length && !xs.length ? `No row has a number in the field ${this.x}.` : "";
  }

  fillTable([xs, ...values], isTime) {
    const table = make("table");
    const from = Math.max(0, xs.length - TABLE_ROWS);
    table.createCaption().textContent = from ? `The last ${TABLE_ROWS} of ${xs.length} rows` : counted(xs.length, "row");
    const head = table.createTHead().insertRow();
    for (const name of [this.x ?? "row", ...this.names]) {
      const cell = make("th", "", name);
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    for (let index = xs.length - 1; index >= from; index -= 1) {
      const row = body.insertRow();
      row.insertCell().textContent = shownX(xs[index], isTime);
      for (const column of values) row.insertCell().textContent = column[index] === null ? "–" : String(column[index]);
    }
    const { scrollTop } = this.table;
    this.table.setAttribute("role", "region");
    this.table.setAttribute("aria-label", `${this.title || "Chart"} as a table`);
    this.table.replaceChildren(table);
    this.table.scrollTop = scrollTop;
  }
}

// MicroPython writes an infinite number as no JSON has it; and none of its `except`s takes an exception of JavaScript's,
// which would end all drawing
function parsed(json) {
  try {
    return JSON.parse(json);
  } catch (error) {
    console.error(error);
    return null;
  }
}

function make(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
}

// a canvas knows no variables, and what one holds may be light-dark(…)
function computedColor(element, name) {
  const probe = element.appendChild(make("span"));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function counted(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function shownX(x, isTime) {
  if (x === undefined) return "–";
  if (!isTime) return String(x);
  const date = new Date(x * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? date.toLocaleTimeString() : date.toLocaleString();
}

function short(value) {
  if (value === null) return "–";
  return new Intl.NumberFormat("en", { maximumSignificantDigits: 4, notation: Math.abs(value) < 1e6 ? "standard" : "compact" }).format(value);
}
