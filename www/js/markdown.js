// Markdown and HTML, made into elements. Whatever it is made of is hostile until proven otherwise: DOMPurify takes out
// all that could run, load from elsewhere, or dress up as a part of the page.
//
//   markdown.render(element, text, attachments)   Markdown; attachments is JSON as nbformat has it: name → type → base64
//   markdown.html(element, text)                  HTML, an output's for one
//   markdown.latex(element, text)                 text with LaTeX in it, an output's for one
//   markdown.headings(element) -> JSON            [{"level", "text", "id"}], in order

import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";
import { color } from "./languages.js";
import { math, typeset } from "./math.js";

const HEADINGS = "h1, h2, h3, h4, h5, h6";
const PREFIX = "heading-"; // of ids, so that none is the name of something else in the page
const IMAGE = /^data:image\/(?:png|jpeg|gif|webp|svg\+xml);/i;
const LINK = /^(?:https?:|mailto:|#|\/(?!\/)|\.{1,2}\/|[^:/]*(?:[/?#]|$))/i;

const STYLES = new Set(
  `background-color border-radius color fill fill-opacity font-family font-size font-style font-weight height line-height
  max-height max-width opacity padding stroke stroke-dasharray stroke-linecap stroke-linejoin stroke-opacity stroke-width text-align
  text-anchor text-decoration vertical-align white-space width`.split(/\s+/),
);

const CONFIG = {
  USE_PROFILES: { html: true, svg: true, svgFilters: true, mathMl: true },
  FORBID_TAGS: ["style", "form", "input", "button", "textarea", "select", "option", "dialog", "audio", "video", "image", "template"],
  FORBID_ATTR: ["style", "class", "id", "name", "srcset", "background", "ping", "autofocus", "tabindex", "accesskey"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: true,
  ADD_ATTR: ["target"],
  IN_PLACE: true,
};

const reader = new MarkdownIt("commonmark", { html: true }).enable(["table", "strikethrough"]).use(math);
const texts = new MarkdownIt("zero").use(math);

const titles = new WeakMap(); // what headings say, before their formulas are drawn

const markdown = {
  render: guarded((element, text, attachments = "{}") => {
    show(element, reader.render(text), JSON.parse(attachments));
    for (const code of element.querySelectorAll("pre > code")) color(code, code.textContent, code.dataset.language);
    for (const heading of element.querySelectorAll(HEADINGS)) {
      titles.set(heading, heading.textContent.replace(/\$([^$]+)\$/g, "$1")); // of a formula, what is in it
      heading.id = freeId(heading);
    }
  }),
  html: guarded((element, text) => show(element, text, {})),
  latex: guarded((element, text) => show(element, texts.render(text), {})),
  headings: (element) =>
    JSON.stringify(
      [...element.querySelectorAll(HEADINGS)].map((heading) => ({
        level: Number(heading.tagName[1]),
        text: titles.get(heading) ?? heading.textContent,
        id: heading.id,
      })),
    ),
};
window.markdown = markdown;

// No `except` of MicroPython takes an exception of JavaScript's: it would end all drawing. Text that fails is shown as it is.
function guarded(draw) {
  return (element, text, ...more) => {
    try {
      draw(element, text, ...more);
    } catch (error) {
      console.error(error);
      element.textContent = text;
    }
  };
}

// Columns of a table are aligned by a style attribute otherwise, which the page's policy forbids.
for (const name of ["th_open", "td_open"]) {
  reader.renderer.rules[name] = (tokens, index, options, env, self) => {
    const [, align] = /text-align:(\w+)/.exec(tokens[index].attrGet("style") ?? "") ?? [];
    tokens[index].attrs = align ? [["align", align]] : null;
    return self.renderToken(tokens, index, options);
  };
}

// Into a document that loads and runs nothing; only what is left of it comes into the page. Style attributes go in under
// another name: the policy counts even there, and each would be complained of in the console.
function show(element, html, attachments) {
  const renamed = html.replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\sstyle(?=\s*=)/gi, " data-style"));
  const { body } = new DOMParser().parseFromString(renamed, "text/html");
  const styles = new Map();
  for (const each of body.querySelectorAll("[data-style]")) styles.set(each, each.dataset.style);
  const frames = [...body.querySelectorAll("table.dataframe")];
  const languages = new Map();
  for (const code of body.querySelectorAll("pre > code[class^=language-]")) {
    languages.set(code, code.className.slice("language-".length).toLowerCase());
  }
  const formulas = new Map();
  for (const each of body.querySelectorAll("[data-math]")) formulas.set(each, each.dataset.math);
  for (const each of body.querySelectorAll("annotation, annotation-xml")) each.remove(); // a formula's source, once more
  for (const image of body.querySelectorAll("img[src^='attachment:']")) attach(image, attachments);
  DOMPurify.sanitize(body, CONFIG);
  for (const link of body.querySelectorAll("a, area")) mend(link);
  for (const image of body.querySelectorAll("img")) checkImage(image);
  for (const each of body.querySelectorAll("use, image, feImage")) each.remove(); // they load what they name
  element.replaceChildren(...body.childNodes);
  for (const [each, text] of styles) if (element.contains(each)) dress(each, text);
  for (const table of frames) if (element.contains(table)) table.className = "dataframe";
  for (const [code, name] of languages) if (element.contains(code)) code.dataset.language = name;
  for (const [each, kind] of formulas) if (element.contains(each)) each.dataset.math = kind;
  typeset([...element.querySelectorAll("[data-math]")], (place, drawn) => show(place, drawn, {}));
}

function attach(image, attachments) {
  const name = decoded(image.getAttribute("src").slice("attachment:".length));
  const [type, data] = Object.entries(attachments?.[name] ?? {})[0] ?? [];
  if (typeof data === "string") image.setAttribute("src", `data:${type};base64,${data}`);
}

function mend(link) {
  for (const name of ["href", "xlink:href"]) {
    const target = link.getAttribute(name)?.trim() ?? "";
    if (target && !LINK.test(target)) link.removeAttribute(name);
  }
  const target = link.getAttribute("href") ?? "";
  if (target.startsWith("#")) {
    link.setAttribute("href", `#${PREFIX}${slug(decoded(target.slice(1)))}`);
    link.removeAttribute("target");
  } else {
    link.setAttribute("target", "_blank"); // the notebook stays open
    link.setAttribute("rel", "noopener noreferrer");
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is no escape
  }
}

// The page's policy loads no images of other servers, who would learn who reads; say so in their place.
function checkImage(image) {
  const source = image.getAttribute("src") ?? "";
  const isOurs = /^\/(?!\/)/.test(source);
  if (IMAGE.test(source) || isOurs) return;
  const stead = image.ownerDocument.createElement("span");
  stead.append(`[image ${image.getAttribute("alt") || "of another server"}, not loaded]`);
  image.replaceWith(stead);
}

// The policy forbids style attributes; what of them is harmless is set one by one.
function dress(element, text) {
  for (const declaration of text.split(";")) {
    const [name, value] = declaration.split(/:(.*)/s).map((part) => part?.trim());
    if (value && STYLES.has(name.toLowerCase()) && !/url|image|[\\<]/i.test(value)) {
      element.style.setProperty(name, value);
    }
  }
}

function slug(text) {
  return text.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
}

function freeId(heading) {
  const wanted = PREFIX + slug(heading.textContent);
  let id = wanted;
  for (let number = 2; document.getElementById(id); number += 1) id = `${wanted}-${number}`;
  return id;
}
