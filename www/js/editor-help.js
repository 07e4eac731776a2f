// What Python knows of the code that is being written: completions, signatures, documentation. It is asked, and answers
// when it can; who does not hear within a few seconds goes on without.
//
//   heard(id, "ask", {"ref", "about": "complete" | "signature" | "hover", "text", "offset"})
//   answer(ref, …)   complete:  {"from": offset, "options": [{"label", "type", "detail", "info"}], "cut"}
//                    signature: {"text", "active": [from, to], "info"}      hover: {"text", "from", "to"}
//
// All that is shown is text, never markup.

import { autocompletion } from "@codemirror/autocomplete";
import { localCompletionSource } from "@codemirror/lang-python";
import { StateEffect, StateField } from "@codemirror/state";
import { hoverTooltip, showTooltip, ViewPlugin } from "@codemirror/view";

const PATIENCE_MS = 3000;

let lastRef = 0;
const waiting = new Map();

function ask(editor, about, state, offset) {
  lastRef += 1;
  const ref = lastRef;
  return new Promise((resolve) => {
    const settle = (value) => {
      clearTimeout(timer);
      waiting.delete(ref);
      resolve(value);
    };
    const timer = setTimeout(settle, PATIENCE_MS, null);
    waiting.set(ref, { id: editor.id, settle });
    editor.tell("ask", { ref, about, text: state.doc.toString(), offset });
  });
}

export function answer(ref, value) {
  waiting.get(ref)?.settle(value); // who gave up waiting has gone on
}

// an editor is gone, so nobody waits for its answers
export function forget(id) {
  for (const each of [...waiting.values()]) if (each.id === id) each.settle(null);
}

export function assist(editor) {
  const isCode = () => editor.languageName === "python";

  async function complete(context) {
    const word = context.matchBefore(/\w*$/);
    const dotted = context.state.sliceDoc(Math.max(0, word.from - 1), word.from) === ".";
    if (!isCode() || (!context.explicit && word.from === word.to && !dotted)) return null;
    const found = await ask(editor, "complete", context.state, context.pos);
    if (context.aborted) return null;
    if (!found) return dotted ? null : localCompletionSource(context);
    const options = found.options.map(({ label, type, detail, info }) => ({
      label,
      type,
      detail,
      info: info ? () => documentation("completion-info", info) : undefined,
    }));
    // of a list that was cut, the next letter may fit what is not in it
    return { from: found.from ?? word.from, options, validFor: found.cut ? undefined : /^\w*$/ };
  }

  const hover = hoverTooltip(async (view, pos) => {
    if (!isCode()) return null;
    const found = await ask(editor, "hover", view.state, pos);
    if (!found) return null;
    return {
      pos: found.from ?? pos,
      end: found.to ?? pos,
      above: true,
      create: () => ({ dom: documentation("hover-help", found.text) }),
    };
  });

  return [autocompletion({ override: [complete], icons: false }), signatureHelp(editor, isCode), hover];
}

function documentation(name, text) {
  const dom = document.createElement("div");
  dom.className = name;
  dom.dataset.testid = name;
  dom.append(text);
  return dom;
}

// signature help: shown from the opening bracket of a call to its end, and on Shift-Tab

const setSignature = StateEffect.define();
const signature = StateField.define({
  create: () => null,
  update(shown, transaction) {
    for (const effect of transaction.effects) if (effect.is(setSignature)) return effect.value;
    return shown && { ...shown, pos: transaction.changes.mapPos(shown.pos) };
  },
  provide: (field) => showTooltip.from(field),
});
const asking = new WeakMap(); // by view: how to ask

export function askSignature(view) {
  asking.get(view)?.();
}

export function closeSignature(view) {
  if (!view.state.field(signature)) return false;
  view.dispatch({ effects: setSignature.of(null) });
  return true;
}

function signatureHelp(editor, isCode) {
  const plugin = ViewPlugin.define((view) => {
    let asked = 0;
    const request = async () => {
      if (!isCode()) return;
      asked += 1;
      const mine = asked;
      const { doc, selection } = view.state;
      const pos = selection.main.head;
      const found = await ask(editor, "signature", view.state, pos);
      if (mine !== asked || !asking.has(view)) return; // a later one is on its way, or the view is gone
      if (found && !(doc.eq(view.state.doc) && pos === view.state.selection.main.head)) {
        request(); // the caret may have left that call meanwhile
        return;
      }
      if (found || view.state.field(signature)) view.dispatch({ effects: setSignature.of(found && tooltip(found, pos)) });
    };
    asking.set(view, request);
    return {
      update(update) {
        const typed = update.transactions.some((each) => each.isUserEvent("input.type"));
        const open = update.state.field(signature);
        if (open && update.focusChanged && !view.hasFocus) queueMicrotask(() => asking.has(view) && closeSignature(view));
        else if ((typed && opensCall(update.state)) || (open && (update.docChanged || update.selectionSet))) request();
      },
      destroy: () => asking.delete(view),
    };
  });
  return [signature, plugin];
}

function opensCall(state) {
  const { head } = state.selection.main;
  return /[(,]\s?$/.test(state.sliceDoc(Math.max(0, head - 2), head));
}

function tooltip({ text, active, info }, pos) {
  const create = () => {
    const dom = documentation("signature-help", "");
    const [from, to] = active ?? [0, 0];
    const parameter = document.createElement("strong");
    parameter.append(text.slice(from, to));
    const line = document.createElement("code");
    line.append(text.slice(0, from), parameter, text.slice(to));
    dom.append(line);
    if (info) dom.append(documentation("signature-info", info));
    return { dom };
  };
  return { pos, above: true, strictSide: false, create };
}
