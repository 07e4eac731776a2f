// Memory snapshots of Python, in a database of their own: what boot.js starts from, and what snapshot.js has made.
//
//   store(build, bytes)     ──> one record of bytes; those of other builds go
//   restore(build, load)    ──> what load(promise of bytes) makes; null where Python has to be loaded plainly, because
//                               there is none, or it failed and was dropped
//   proven(build)               all went well. A start that never says so, because it crashed or hung, is noticed by
//                               the next one, which drops the snapshot.
//
// A build's hash stands for Pyodide's files too. IndexedDB, since Cache Storage is not there at plain-HTTP addresses.

const DATABASE = "partyline-snapshot";
const BYTES = "bytes"; // by build: {buffer, sum}; no Blob, which WebKitGTK refuses where it stores nothing on disk
const MARKS = "marks"; // by build: {since: when a start from it began that has not ended, or 0, failures: in a row}
const MAX_FAILURES = 3; // then none is made for this build any more
const FRESH_MS = 10_000; // a start that began so recently may be another worker's, and well
const PATIENCE_MS = 5_000; // for IndexedDB, which in some browsers does not always answer

export const wanted = (build) =>
  transact("readonly", async (bytes, marks) => {
    if (await result(bytes.count(build))) return false;
    return ((await result(marks.get(build)))?.failures ?? 0) < MAX_FAILURES;
  });

export const store = (build, bytes) =>
  transact("readwrite", async (kept, marks) => {
    kept.clear();
    kept.put({ buffer: bytes.buffer, sum: checksum(bytes) }, build);
    for (const other of await result(marks.getAllKeys())) if (other !== build) marks.delete(other);
  });

export const proven = (build) =>
  transact("readwrite", async (_, marks) => marks.put({ since: 0, failures: 0 }, build)).catch((error) =>
    console.info(`partyline: that the memory snapshot is good could not be noted: ${error}`),
  );

export const failed = (build) =>
  transact("readwrite", async (bytes, marks) => {
    const failures = (await result(marks.get(build)))?.failures ?? 0;
    bytes.delete(build);
    marks.put({ since: 0, failures: failures + 1 }, build);
  });

export async function restore(build, load) {
  const begun = begin(build);
  try {
    return (await soon(begun)) ? await load(read(build)) : null; // Pyodide's files come while it is read
  } catch (error) {
    console.info(`partyline: no start from the memory snapshot: ${error}`);
    if (error instanceof Late) {
      begun.then((marked) => marked && unmark(build)).catch((reason) => console.info(`partyline: ${reason}`));
      return null; // a disk that is slow just now says nothing against the snapshot
    }
    await soon(failed(build)).catch((reason) => console.info(`partyline: it could not be dropped: ${reason}`));
    return null;
  }
}

// The start that was noted is not one from the snapshot.
const unmark = (build) =>
  transact("readwrite", async (_, marks) => marks.put({ ...(await result(marks.get(build))), since: 0 }, build));

// Whether there is one to start from; then it is noted that a start has begun.
async function begin(build) {
  const [there, unfinished] = await transact("readwrite", async (bytes, marks) => {
    const [count, mark] = await Promise.all([result(bytes.count(build)), result(marks.get(build))]);
    if (count && !mark?.since) marks.put({ since: Date.now(), failures: mark?.failures ?? 0 }, build);
    return [count > 0, mark?.since ?? 0];
  });
  if (there && unfinished && Math.abs(Date.now() - unfinished) > FRESH_MS)
    throw new Error("the last start from it never ended");
  return there && !unfinished;
}

async function read(build) {
  const { buffer, sum } = await transact("readonly", (kept) => result(kept.get(build)));
  const bytes = new Uint8Array(buffer);
  if (checksum(bytes) !== sum) throw new Error("it is damaged");
  return bytes;
}

// One word of every 16: what storage loses it loses in blocks, and to sum them all takes some 20 ms of the start.
function checksum(bytes) {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  let sum = bytes.byteLength;
  for (let at = 0; at < words.length; at += 16) sum = (Math.imul(sum, 31) + words[at]) | 0;
  return sum;
}

function open() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(BYTES);
    request.result.createObjectStore(MARKS);
  };
  return result(request);
}

// A promise of what `act` answers, once the transaction has been completed.
async function transact(mode, act) {
  const database = await open();
  try {
    const transaction = database.transaction([BYTES, MARKS], mode);
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB gave up"));
    });
    const [answer] = await Promise.all([act(transaction.objectStore(BYTES), transaction.objectStore(MARKS)), ended]);
    return answer;
  } finally {
    database.close();
  }
}

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

class Late extends Error {}

function soon(promise) {
  const late = (_, reject) => setTimeout(() => reject(new Late("IndexedDB does not answer")), PATIENCE_MS);
  return Promise.race([promise, new Promise(late)]);
}
