// A cell's text: CodeMirror 6, in the words that Python in a tab speaks. Only strings cross the border.
//
//   editors.create(parent, options) -> a cell's editor     options: id, text, version, author, language, label, readOnly
//   editors.heard = (id, what, json) => …                  the one function that is told of all that happens
//   editors.answer(ref, json)                              what "ask" is answered with; null where there is nothing
//
// An editor is text alone, coloured, until it comes near the window's view; so a notebook of hundreds of cells opens at
// once. Edits are collaborative, with the worker as authority: `push` brings it a change that was typed, meant for
// `version`; `receive` brings what it took, one's own included; `refused` has an editor wait for what it lacks.

import { closeBrackets } from "@codemirror/autocomplete";
import { collab, getSyncedVersion, receiveUpdates, sendableUpdates } from "@codemirror/collab";
import { history } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, search } from "@codemirror/search";
import { ChangeSet, Compartment, EditorState, Text } from "@codemirror/state";
import { drawSelection, EditorView, placeholder } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { answer, assist, forget } from "./editor-help.js";
import { keys } from "./editor-keys.js";
import { color, language } from "./languages.js";
import { difference, rebase } from "./merging.js";

const nonce = document.querySelector("meta[property=csp-nonce]")?.nonce ?? "";
const NEAR = "100% 0px"; // one window's height above and below

const byElement = new WeakMap();
const later = window.requestIdleCallback ?? ((call) => setTimeout(call, 16));
const coming = new Set(); // near, and not an editor yet: one is made at a time, when the browser has nothing better to do
const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && !coming.size) later(mountNext);
      coming[isIntersecting ? "add" : "delete"](target);
    }
  },
  { rootMargin: NEAR },
);

function mountNext() {
  const [place] = coming;
  if (!place) return;
  coming.delete(place);
  byElement.get(place)?.cameNear();
  if (coming.size) later(mountNext);
}

const editors = {
  heard: () => {},
  create: (parent, options) => new Editor(parent, options),
  answer: (ref, json) => answer(ref, JSON.parse(json)),
  // a text in two at an offset, which Python would count otherwise: it has no surrogate pairs
  halves: (text, at) => JSON.stringify([text.slice(0, at).replace(/\n$/, ""), text.slice(at).replace(/^\n/, "")]),
};
window.editors = editors;

class Editor {
  constructor(parent, { id, text = "", version = 0, author = "", language = "python", label = "", readOnly = false }) {
    Object.assign(this, { parent, id, author, label, readOnly });
    this.languageName = language;
    this.view = null;
    this.pushing = false;
    this.doc = Text.of(text.split("\n")); // until there is a view
    this.known = version;
    this.settings = new Compartment();
    // what stands in a cell that the browser has not laid out (content-visibility) is near to nothing
    this.place = parent.closest(".cell") ?? parent;
    byElement.set(this.place, this);
    this.showPlain();
    near.observe(this.place);
  }

  // what Python reads and does

  text() {
    return (this.view?.state.doc ?? this.doc).toString();
  }

  version() {
    return this.view ? getSyncedVersion(this.view.state) : this.known;
  }

  unsent() {
    return this.view ? sendableUpdates(this.view.state).length : 0;
  }

  // offsets are in UTF-16 code units, as JavaScript counts
  offset() {
    return this.view?.state.selection.main.head ?? 0;
  }

  selection() {
    const { from, to } = this.view?.state.selection.main ?? { from: 0, to: 0 };
    return JSON.stringify([from, to]);
  }

  select(from, to = from) {
    const length = this.mount().state.doc.length;
    this.view.dispatch({
      selection: { anchor: Math.min(from, length), head: Math.min(to, length) },
      scrollIntoView: true,
    });
  }

  // "start", "end", or where the caret was
  focus(where = "") {
    const view = this.mount();
    if (where) this.select(where === "start" ? 0 : view.state.doc.length);
    view.focus();
  }

  hasFocus() {
    return this.view?.hasFocus ?? false;
  }

  // an edit like one that was typed: undone by undo, told to the worker
  setText(text) {
    const view = this.mount();
    const changes = difference(view.state.doc.toString(), text);
    if (changes) view.dispatch({ changes, userEvent: "input" });
  }

  setLanguage(name) {
    this.languageName = name;
    if (this.view) this.view.dispatch({ effects: this.settings.reconfigure(this.changing()) });
    else {
      this.showPlain();
      near.unobserve(this.place); // it may have been near, and hidden
      near.observe(this.place);
    }
  }

  setReadOnly(readOnly) {
    this.readOnly = readOnly;
    this.view?.dispatch({ effects: this.settings.reconfigure(this.changing()) });
  }

  setLabel(label) {
    this.label = label;
    this.view?.dispatch({ effects: this.settings.reconfigure(this.changing()) });
  }

  destroy() {
    near.unobserve(this.place);
    byElement.delete(this.place);
    forget(this.id);
    this.view?.destroy();
    this.view = null;
    this.parent.replaceChildren();
  }

  // the authority

  // json: {"version": that of the text before them, "updates": [{"author", "changes"}]}; false where some are missing
  receive(json) {
    const { version, updates } = JSON.parse(json);
    const known = this.version();
    if (version > known) {
      this.tell("pull", { version: known });
      return false;
    }
    const fresh = updates
      .slice(known - version)
      .map(({ author, changes }) => ({ clientID: author, changes: ChangeSet.fromJSON(changes) }));
    if (this.view) {
      if (fresh.length) this.view.dispatch(receiveUpdates(this.view.state, fresh));
      this.base = fresh.reduce((doc, update) => update.changes.apply(doc), this.base);
      if (fresh.some((update) => update.clientID === this.author)) this.pushing = false;
      this.push(); // after a refusal there may be nothing fresh: it came before we were told
    } else if (fresh.length) {
      this.doc = fresh.reduce((doc, update) => update.changes.apply(doc), this.doc);
      this.known += fresh.length;
      this.showPlain();
    }
    return true;
  }

  // a push was not taken: others were first. What they wrote is asked for, and the push is made anew after that
  refused() {
    this.pushing = false;
    this.tell("pull", { version: this.version() });
  }

  // the worker cannot say what changed since our version: this is its text. With `keep` what was typed here and is not
  // told yet is told as an edit on top, else it is given up
  reset(text, version, keep = false) {
    this.pushing = false;
    if (!this.view) {
      this.doc = Text.of(text.split("\n"));
      this.known = version;
      this.showPlain();
      return;
    }
    const updates = sendableUpdates(this.view.state).map((update) => update.changes);
    const { changes, caret } = rebase(this.base, updates, text, this.offset());
    this.view.setState(this.makeState(Text.of(text.split("\n")), version, Math.min(caret, text.length)));
    if (keep && !changes.empty) this.view.dispatch({ changes, selection: { anchor: caret }, userEvent: "input" });
  }

  // one change at a time: of several the worker could take the second, meant for what the first makes, where another
  // author's made that version; and each that it takes would have all the rest said again
  push() {
    if (this.pushing || !this.unsent()) return;
    const [update] = sendableUpdates(this.view.state);
    this.pushing = true;
    this.tell("push", { version: this.version(), changes: update.changes.toJSON() });
  }

  tell(what, value = {}) {
    editors.heard(this.id, what, JSON.stringify(value));
  }

  // what is shown

  showPlain() {
    const pre = document.createElement("pre");
    pre.className = "editor-plain";
    pre.dataset.testid = "cell-editor";
    pre.addEventListener("mousedown", (event) => this.press(event));
    color(pre, this.doc.toString(), this.languageName);
    this.parent.replaceChildren(pre);
  }

  // not when it is clicked: the editor may take the text's place before the button is let go
  press(event) {
    if (event.button !== 0) return;
    event.preventDefault(); // or the cell takes the focus
    this.select(this.mount().posAtCoords({ x: event.clientX, y: event.clientY }, false));
    this.focus();
  }

  // a text that is hidden, as a rendered Markdown cell's, needs no editor
  cameNear() {
    if (!this.parent.hidden) this.mount();
  }

  mount() {
    if (this.view) return this.view;
    near.unobserve(this.place);
    this.parent.replaceChildren();
    this.view = new EditorView({ state: this.makeState(this.doc, this.known, 0), parent: this.parent });
    return this.view;
  }

  makeState(doc, version, at) {
    this.base = doc; // the text of the version that the worker knows, without what is not told yet
    const updated = EditorView.updateListener.of((update) => {
      if (update.focusChanged) this.tell(update.view.hasFocus ? "focus" : "blur");
      if (!update.docChanged) return;
      painting.after(() => this.push()); // to see what one types comes first
    });
    return EditorState.create({
      doc,
      selection: { anchor: at },
      extensions: [
        this.settings.of(this.changing()),
        collab({ startVersion: version, clientID: this.author }),
        history(),
        drawSelection(),
        indentUnit.of("    "),
        EditorState.tabSize.of(4),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        search({ top: true }),
        highlightSelectionMatches(),
        syntaxHighlighting(classHighlighter),
        EditorView.lineWrapping,
        nonce ? EditorView.cspNonce.of(nonce) : [],
        keys(this),
        assist(this),
        updated,
      ],
    });
  }

  changing() {
    return [
      language(this.languageName),
      EditorState.readOnly.of(this.readOnly),
      placeholder(this.languageName === "markdown" ? "Text, in Markdown" : "Python"),
      EditorView.contentAttributes.of({
        "data-testid": "cell-editor",
        "aria-label": this.label,
        "aria-description": "Escape leaves the editor",
        "data-gramm": "false", // a writing assistant's marks are no Python
      }),
    ];
  }
}
