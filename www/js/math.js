// LaTeX between dollars, as Jupyter has it, made into MathML by KaTeX, which is loaded where the first of it is met.
//
//   reader.use(math)          markdown-it then reads $…$, $$…$$ and \begin{…}…\end{…}; what it makes has data-math
//   typeset(places, put)      has each of these elements show its formula; put(element, html) sanitises what comes
//
// A formula may be hostile, too: it can define macros that grow without end, nest without end, or name addresses. So it
// is bounded, KaTeX trusts none (no links, no attributes, no pictures), and what is wrong stays as it was written.

import { letters } from "./math-letters.js";

const MAX_LENGTH = 4000; // characters of a formula
const MAX_LINES = 200;
const MAX_DEPTH = 100; // elements inside each other, in what comes of it
const MAX_EM = 20; // how long a rule or a space may be
const EXPANSIONS = 1000; // of macros; KaTeX's own are small
const OWN_EXPANSIONS = 100; // where it defines some, which may be long
const SLICE_MS = 8; // so long formulas are drawn before the page may do something else
const DEFINES = /\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecommand)(?![a-z])/i;

// $5 and $6 are no formula: none begins or ends with a space, and no digit follows it
const INLINE = /\$(?![\s$])(?:\\.|[^\\$])+?(?<!\s)\$(?!\d)/sy;
const DISPLAY = /\$\$(?:\\.|[^\\$]|\$(?!\$))+?\$\$/sy;
const EMPTY = /<mtd class ?="(?:mtr-glue|mml-eqn-num)"><\/mtd>/g; // beside a table's columns, for KaTeX's own styles
const ENVIRONMENT = /^\\begin\{([a-z]+\*?)\}/i;

export function math(reader) {
  reader.inline.ruler.before("escape", "math", inline);
  reader.block.ruler.before("fence", "math", block, { alt: ["paragraph", "reference", "blockquote", "list"] });
  const shown = (tag, kind) => (tokens, index) =>
    `<${tag} data-math="${kind}">${reader.utils.escapeHtml(tokens[index].content)}</${tag}>`;
  reader.renderer.rules.math_inline = shown("span", "inline");
  reader.renderer.rules.math_display = shown("span", "block");
  reader.renderer.rules.math_block = shown("div", "block");
}

function inline(state, silent) {
  if (state.src[state.pos] !== "$") return false;
  for (const [name, form] of [["math_display", DISPLAY], ["math_inline", INLINE]]) {
    form.lastIndex = state.pos;
    const [found] = form.exec(state.src) ?? [];
    if (!found) continue;
    if (!silent) state.push(name, "", 0).content = found;
    state.pos += found.length;
    return true;
  }
  return false;
}

// lines from one that begins with $$ or \begin{…} to the one that ends with its counterpart: in between, - is no list
function block(state, start, end, silent) {
  if (state.sCount[start] - state.blkIndent >= 4) return false;
  const lineOf = (line) => state.src.slice(state.bMarks[line] + state.tShift[line], state.eMarks[line]).trimEnd();
  const first = lineOf(start);
  const [opening, name] = ENVIRONMENT.exec(first) ?? [first.startsWith("$$") ? "$$" : ""];
  if (!opening) return false;
  const closing = name ? `\\end{${name}}` : "$$";
  for (let line = start; line < Math.min(end, start + MAX_LINES); line += 1) {
    const text = line === start ? first.slice(opening.length) : lineOf(line);
    const at = text.indexOf(closing);
    if (at >= 0 && at < text.length - closing.length) return false; // more follows: it stands in a paragraph
    if (at < 0) continue;
    if (silent) return true;
    const token = state.push("math_block", "", 0);
    token.content = state.getLines(start, line + 1, state.blkIndent, false).trim();
    token.map = [start, line + 1];
    token.block = true;
    state.line = line + 1;
    return true;
  }
  return false;
}

const waiting = [];
let isWorking = false;

export function typeset(places, put) {
  for (const place of places) waiting.push([place, put]);
  if (isWorking || !waiting.length) return;
  isWorking = true;
  // the small build, half of the module's size; it is no module, and leaves its name behind
  import("katex").then(work, (error) => {
    isWorking = false;
    for (const [place] of waiting.splice(0)) refuse(place, `What draws formulas could not be loaded: ${error.message}`);
  });
}

function work() {
  const until = performance.now() + SLICE_MS;
  while (waiting.length && performance.now() < until) {
    const [place, put] = waiting.shift();
    if (place.isConnected) draw(place, put);
  }
  isWorking = waiting.length > 0;
  if (isWorking) setTimeout(work);
}

function draw(place, put) {
  const source = place.textContent.trim();
  const tex = source.startsWith("$") ? source.replace(/^\$\$?|\$\$?$/g, "") : source;
  if (tex.length > MAX_LENGTH) return refuse(place, `A formula of more than ${MAX_LENGTH} characters is not drawn`);
  const options = {
    output: "mathml", // needs no fonts and no styles of ours
    displayMode: place.dataset.math === "block",
    trust: false,
    strict: "ignore",
    maxSize: MAX_EM,
    maxExpand: DEFINES.test(tex) ? OWN_EXPANSIONS : EXPANSIONS,
  };
  let html;
  try {
    html = window.katex.renderToString(tex, options).replace(EMPTY, "");
  } catch (error) {
    return refuse(place, error.message); // KaTeX says where; or it ran out of stack
  }
  if (depth(html) > MAX_DEPTH) return refuse(place, "A formula with so much inside each other is not drawn");
  put(place, html);
  const drawn = place.querySelector("math");
  drawn.setAttribute("alttext", tex);
  letters(drawn);
  for (const table of place.querySelectorAll("mtable")) align(table);
}

function refuse(place, why) {
  place.dataset.math = "wrong";
  place.title = why;
}

function depth(html) {
  let [deepest, now] = [0, 0];
  for (const [tag] of html.matchAll(/<\/?[a-z]/g)) {
    now += tag[1] === "/" ? -1 : 1;
    deepest = Math.max(deepest, now);
  }
  return deepest;
}

// browsers have dropped these attributes in favour of styles (MathML Core)
function align(table) {
  const columns = (table.getAttribute("columnalign") ?? "").split(/\s+/);
  const isTight = table.getAttribute("columnspacing")?.startsWith("0em");
  for (const row of table.children) {
    for (const [index, cell] of [...row.children].entries()) {
      cell.style.textAlign = columns[index] ?? "";
      cell.style.textAlign = `-webkit-${columns[index]}`; // Chromium aligns lines by the other, and blocks by this
      if (isTight) cell.style.paddingInline = "0";
    }
  }
}
