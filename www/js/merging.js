// Two texts that were made of one, put together: what was typed here and is not told yet, on top of what others made of
// the text meanwhile. Nothing that either brought is lost; lines that both changed have both.

import { ChangeSet, Text } from "@codemirror/state";

const MAX_TABLE = 4_000_000; // cells of the table that finds common lines; larger ones are compared at their ends alone

// {changes: of `text`, caret: where it is then}. `updates` are ChangeSets, in order, that begin at `base`; the first of them
// may be in `text` already.
export function rebase(base, updates, text, caret) {
  const wanted = Text.of(text.split("\n"));
  let doc = base;
  for (let taken = 0; taken <= updates.length; taken += 1) {
    if (doc.eq(wanted)) return { changes: composed(updates.slice(taken), doc.length), caret };
    if (taken < updates.length) doc = updates[taken].apply(doc);
  }
  const mine = composed(updates, base.length);
  const theirs = ChangeSet.of(differences(base.toString(), text), base.length);
  return { changes: mine.map(theirs), caret: theirs.map(mine, true).mapPos(caret) };
}

const composed = (updates, length) =>
  updates.reduce((all, update) => all.compose(update), ChangeSet.empty(length));

// the changes that make a text another: line by line, and within lines what stands between their common ends
export function differences(before, after) {
  const [old, fresh] = [before, after].map((text) => text.split(/(?<=\n)/));
  const found = [];
  let at = 0; // where we are in `before`, and in the lines of both
  let line = 0;
  let other = 0;
  for (const [kept, match] of [...commonLines(old, fresh), [old.length, fresh.length]]) {
    const gone = old.slice(line, kept).join("");
    const change = difference(gone, fresh.slice(other, match).join(""), at);
    if (change) found.push(change);
    at += gone.length + (old[kept]?.length ?? 0);
    [line, other] = [kept + 1, match + 1];
  }
  return found;
}

// pairs of places at which both have the same line: a longest common subsequence
function commonLines(old, fresh) {
  const pairs = [];
  let start = 0;
  while (start < Math.min(old.length, fresh.length) && old[start] === fresh[start]) {
    pairs.push([start, start]);
    start += 1;
  }
  let [end, last] = [old.length, fresh.length];
  while (end > start && last > start && old[end - 1] === fresh[last - 1]) [end, last] = [end - 1, last - 1];
  const [rows, columns] = [end - start, last - start];
  if ((rows + 1) * (columns + 1) <= MAX_TABLE) {
    const width = columns + 1;
    const lengths = new Uint32Array((rows + 1) * width); // of what is common from here to the end
    for (let row = rows - 1; row >= 0; row -= 1) {
      for (let column = columns - 1; column >= 0; column -= 1) {
        const here = row * width + column;
        lengths[here] =
          old[start + row] === fresh[start + column]
            ? lengths[here + width + 1] + 1
            : Math.max(lengths[here + width], lengths[here + 1]);
      }
    }
    for (let row = 0, column = 0; row < rows && column < columns; ) {
      const here = row * width + column;
      if (old[start + row] === fresh[start + column]) {
        pairs.push([start + row, start + column]);
        row += 1;
        column += 1;
      } else if (lengths[here + width] >= lengths[here + 1]) row += 1;
      else column += 1;
    }
  }
  for (let step = 0; end + step < old.length; step += 1) pairs.push([end + step, last + step]);
  return pairs;
}

// the one change that makes a text another: what stands between their common start and their common end
export function difference(before, after, at = 0) {
  if (before === after) return null;
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  if (isLow(before, start) || isLow(after, start)) start -= 1;
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  if (isLow(before, before.length - end) || isLow(after, after.length - end)) end -= 1;
  return { from: at + start, to: at + before.length - end, insert: after.slice(start, after.length - end) };
}

// whether the second half of a character stands here: no change may part the two
function isLow(text, at) {
  const unit = text.charCodeAt(at);
  return at > 0 && unit >= 0xdc00 && unit < 0xe000;
}
