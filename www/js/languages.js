// The languages of cells, for editors, and for text that is only shown: the same classes in both, `tok-…` (notebook.css).

import { defineLanguageFacet, Language, languageDataProp } from "@codemirror/language";
import { pythonLanguage, python } from "@codemirror/lang-python";
import { classHighlighter, highlightCode } from "@lezer/highlight";
import { parser } from "@lezer/markdown";

// of its own rather than @codemirror/lang-markdown, which brings HTML, CSS and JavaScript with it
const data = defineLanguageFacet();
const markdown = new Language(data, parser.configure({ props: [languageDataProp.add({ Document: data })] }), [], "markdown");

const PARSERS = { python: pythonLanguage.parser, py: pythonLanguage.parser, markdown: markdown.parser };

// what an editor needs
export function language(name) {
  if (name === "python") return python();
  return name === "markdown" ? markdown : [];
}

// Put a text into an element, coloured where its language is known. It is text, whatever it holds.
export function color(element, text, name) {
  element.replaceChildren();
  const parser = Object.hasOwn(PARSERS, name) ? PARSERS[name] : null;
  if (!parser) {
    element.append(text);
    return;
  }
  const put = (code, classes) => {
    if (!classes) {
      element.append(code);
      return;
    }
    const span = document.createElement("span");
    span.className = classes;
    span.append(code);
    element.append(span);
  };
  highlightCode(text, parser.parse(text), classHighlighter, put, () => element.append("\n"));
}
