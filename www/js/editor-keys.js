// The keys inside of an editor. What is about the cell rather than its text goes to Python, by the names that Jupyter
// gives them: run, escape, split, leave.

import {
  acceptCompletion,
  closeBracketsKeymap,
  closeCompletion,
  completionStatus,
  startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, historyKeymap, indentLess, indentMore, toggleComment } from "@codemirror/commands";
import { searchKeymap } from "@codemirror/search";
import { Prec } from "@codemirror/state";
import { keymap } from "@codemirror/view";
import { askSignature, closeSignature } from "./editor-help.js";

const TAKEN = new Set(["Mod-Enter", "Shift-Enter", "Alt-Enter", "Escape", "Tab", "Mod-/"]);

// To stand before completions, whose keys are of highest precedence as well.
export function keys(editor) {
  return [Prec.highest(keymap.of([{ key: "Escape", run: forgetPending }])), keymap.of(bindings(editor))];
}

function bindings(editor) {
  const run = (then) => () => {
    editor.tell("run", { then });
    return true;
  };
  const own = [
    { key: "Shift-Enter", run: run("next") },
    { key: "Ctrl-Enter", mac: "Cmd-Enter", run: run("stay") },
    { key: "Ctrl-Enter", run: run("stay") },
    { key: "Alt-Enter", run: run("insert") },
    { key: "Ctrl-Shift--", run: split },
    { key: "Ctrl-Shift-_", run: split },
    { key: "Mod-/", run: toggleComment },
    { key: "Tab", run: tab },
    { key: "Shift-Tab", run: shiftTab },
    { key: "ArrowUp", run: (view) => leave(view, "before") },
    { key: "ArrowDown", run: (view) => leave(view, "after") },
  ];
  function split(view) {
    editor.tell("split", { at: view.state.selection.main.head });
    return true;
  }
  function leave(view, to) {
    if (!view.state.selection.main.empty || !inOutermostRow(view, to)) return false;
    editor.tell("leave", { to });
    return true;
  }
  return [
    { key: "Escape", run: closeSignature },
    ...own,
    ...closeBracketsKeymap,
    ...searchKeymap,
    ...historyKeymap,
    ...defaultKeymap.filter((binding) => !TAKEN.has(binding.key)),
    {
      key: "Escape", // last: what is open has been closed by others
      run: () => {
        editor.tell("escape");
        return true;
      },
    },
  ];
}

// Escape closes a list of completions that is shown, but one that is still to come does not count as shown.
function forgetPending(view) {
  if (completionStatus(view.state) === "pending") closeCompletion(view);
  return false;
}

// a long line wraps into several rows, so the caret's place is looked at, not its line
function inOutermostRow(view, to) {
  const caret = view.coordsAtPos(view.state.selection.main.head);
  const edge = view.coordsAtPos(to === "before" ? 0 : view.state.doc.length);
  return caret !== null && edge !== null && Math.abs(caret.top - edge.top) < 2;
}

// Tab takes the completion that is shown, asks for one after a word or a dot, and indents elsewhere.
function tab(view) {
  if (acceptCompletion(view)) return true;
  const { state } = view;
  const { main } = state.selection;
  if (!main.empty) return indentMore(view);
  const before = state.sliceDoc(state.doc.lineAt(main.head).from, main.head);
  if (/[\w.]$/.test(before) && !state.readOnly) return startCompletion(view);
  if (/^\s*$/.test(before) && state.doc.lineAt(main.head).length) return indentMore(view);
  view.dispatch(state.replaceSelection(" ".repeat(4 - (before.length % 4))), { userEvent: "input" });
  return true;
}

// Shift-Tab takes an indentation back at a line's start, and shows the signature of the call elsewhere.
function shiftTab(view) {
  const { state } = view;
  const { main } = state.selection;
  const before = state.sliceDoc(state.doc.lineAt(main.from).from, main.from);
  if (!main.empty || /^\s*$/.test(before)) return indentLess(view);
  askSignature(view);
  return true;
}
