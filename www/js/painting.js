// What one types is seen first: a frame that shows a key draws nothing else that can wait, and what follows from a key is
// done after its frame.
//
//   painting.request(call) -> id    as requestAnimationFrame, but up to MOST_MS later while keys are on their way to the screen
//   painting.cancel(id)
//   painting.after(call)            as soon as the page has been painted as it is now; at once where nobody sees it
//   painting.isTyped() -> boolean   whether one types just now

const MOST_MS = 100;
const TYPED_MS = 1000; // between two keys of one who types

const painting = {
  typing: false, // whether a key has been pressed in a text, and is not seen yet
  typed: -TYPED_MS, // when one was pressed last
  frames: new Map(),
  last: 0,
  calls: [],
  painted: new MessageChannel(),

  request(call) {
    const id = (painting.last += 1);
    const since = performance.now();
    const come = (now) => {
      if (painting.typing && performance.now() - since < MOST_MS) {
        painting.frames.set(id, requestAnimationFrame(come));
      } else {
        painting.frames.delete(id);
        call(now);
      }
    };
    painting.frames.set(id, requestAnimationFrame(come));
    return id;
  },

  cancel(id) {
    cancelAnimationFrame(painting.frames.get(id));
    painting.frames.delete(id);
  },

  after(call) {
    painting.calls.push(call);
    if (document.hidden) painting.flush();
    else if (painting.calls.length === 1) {
      requestAnimationFrame(() => painting.painted.port2.postMessage(null)); // its message comes after the frame
      setTimeout(painting.flush, MOST_MS); // a window may be covered, and have no frames
    }
  },

  isTyped: () => performance.now() - painting.typed < TYPED_MS,

  flush() {
    for (const call of painting.calls.splice(0)) {
      try {
        call();
      } catch (error) {
        reportError(error); // one that fails takes none of the others with it
      }
    }
  },
};
window.painting = painting;
painting.painted.port1.onmessage = painting.flush;

addEventListener(
  "keydown",
  ({ target }) => {
    if (!target.isContentEditable && !target.matches?.("input, textarea")) return;
    painting.typed = performance.now();
    if (painting.typing) return;
    painting.typing = true;
    painting.after(() => (painting.typing = false));
  },
  true,
);
// before all else that listens: nobody may be there later
addEventListener("pagehide", painting.flush, true);
document.addEventListener("visibilitychange", painting.flush, true);
