// A tab's way to a worker, on each rung of the ladder (py/partyline/link.py says which). What stands here is what Python
// in a tab cannot do: catch what the browser throws, and hold a Web Lock.
//
//   tab ──post──> worker        over a port, or, where the worker is another tab's, over a channel
//   tab <──told── worker        to this tab alone
//   tab <──heard── worker       to all tabs: over a BroadcastChannel, which a hidden tab leaves
//
// `open` answers null where the browser refuses, and `guard.why` says why.

const REACH_MS = 5_000;

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const workers = {
  tab: hex(crypto.getRandomValues(new Uint8Array(12))), // who this tab is, for as long as its document lives

  rungs() {
    const able = [];
    if (typeof SharedWorker !== "undefined" && typeof BroadcastChannel !== "undefined") able.push("shared");
    if (navigator.locks && typeof BroadcastChannel !== "undefined") able.push("elected");
    return [...able, "own"];
  },

  // told, heard: functions of a text; failed: a function of a message
  open: (rung, url, name, tab, told, heard, failed) =>
    guard.attempt(() => new { shared: Shared, elected: Elected, own: Own }[rung](url, name, tab, told, heard, failed)),

  // whether the server has this file just now
  reach(url, done) {
    const asked = fetch(url, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(REACH_MS) });
    asked.then((answer) => done(answer.ok), () => done(false));
  },

  keep: (key, text) => guard.attempt(() => localStorage.setItem(key, text)),
  kept: (key) => guard.attempt(() => localStorage.getItem(key)),
  // for this tab alone, as long as it is open
  keepHere: (key, text) => guard.attempt(() => sessionStorage.setItem(key, text)),
  keptHere: (key) => guard.attempt(() => sessionStorage.getItem(key)),

  // a frame with a file's text in it, past MicroPython, which is slow with millions of characters
  postFile(worker, frame, file, failed) {
    file.text().then(
      (text) => worker.post(JSON.stringify({ ...JSON.parse(frame), text })),
      (error) => failed(error.message),
    );
  },

  // held as long as this document lives: the worker waits for it, to learn of a tab's end however it came
  locked: false,
  lock() {
    if (!navigator.locks || workers.unlock) return;
    const held = new Promise((resolve) => {
      workers.unlock = () => {
        workers.locked = false;
        workers.unlock = null;
        resolve();
      };
    });
    const hold = () => {
      workers.locked = true;
      return held;
    };
    navigator.locks.request(`partyline-tab-${workers.tab}`, hold).catch((error) => {
      guard.why = String(error); // refused with all else of the site's data: the worker asks this tab, then
    });
  },
  unlock: null,
};
window.workers = workers;
workers.lock(); // now, so that it is held when the tab says hello

class Following {
  constructor(name, heard) {
    this.name = name;
    this.heard = heard;
    this.channel = null;
  }

  listen(on) {
    if (on === (this.channel !== null)) return;
    if (on) {
      this.channel = new BroadcastChannel(this.name);
      this.channel.onmessage = (event) => this.heard(event.data);
    } else {
      this.channel.close();
      this.channel = null;
    }
  }

  close() {
    this.listen(false);
  }
}

// The frame owns the worker, not the page: a worker ends when its last owner does, even one that hangs, so a page that
// takes its frame away is rid of it without having to go away itself.
class Shared extends Following {
  constructor(url, name, tab, told, heard, failed) {
    super(name, heard);
    this.frame = document.createElement("iframe");
    this.frame.hidden = true;
    document.body.append(this.frame);
    try {
      const options = { type: "module", name, extendedLifetime: true };
      this.worker = new this.frame.contentWindow.SharedWorker(url, options);
    } catch (error) {
      this.frame.remove();
      throw error;
    }
    this.worker.onerror = (event) => {
      if (!event.message) failed(""); // with a message, as Firefox has it, it is of code that runs: the worker is there
    };
    this.port = this.worker.port;
    this.port.onmessage = (event) => told(event.data);
  }

  post(text) {
    this.port.postMessage(text);
  }

  close() {
    super.close();
    this.port.onmessage = this.worker.onerror = null;
    this.port.close();
    this.frame.remove();
  }
}

// One tab has the worker, the one that has the lock. All, that one too, reach it over a second channel.
class Elected extends Following {
  constructor(url, name, tab, told, heard, failed) {
    super(name, heard);
    this.tab = tab;
    this.ports = new BroadcastChannel(`${name}-ports`);
    this.ports.onmessage = ({ data }) => {
      if (data.to === tab || data.to === "all") told(data.text);
    };
    this.giveUp = new AbortController();
    const closed = new Promise((resolve) => {
      this.release = resolve;
    });
    const lead = () => {
      const worker = new Worker(url, { type: "module", name });
      worker.onerror = (event) => failed(event.message ?? "");
      return closed.then(() => {
        worker.onerror = null;
        worker.terminate();
      });
    };
    navigator.locks
      .request(`${name}-elected`, { signal: this.giveUp.signal }, lead)
      .catch((error) => {
        if (!this.giveUp.signal.aborted) failed(String(error));
      });
  }

  post(text) {
    this.ports.postMessage({ from: this.tab, text });
  }

  close() {
    super.close();
    this.ports.close();
    this.giveUp.abort(); // where it does not have the lock yet
    this.release();
  }
}

// Its port is the channel, too: so it works where there is no BroadcastChannel.
class Own {
  constructor(url, name, tab, told, heard, failed) {
    this.worker = new Worker(url, { type: "module", name: `${name}-${tab}` });
    this.worker.onerror = (event) => failed(event.message ?? "");
    this.listening = false;
    this.worker.onmessage = ({ data }) => {
      if (data.to !== "all") told(data.text);
      else if (this.listening) heard(data.text);
    };
  }

  listen(on) {
    this.listening = on;
  }

  post(text) {
    this.worker.postMessage({ from: "", text });
  }

  close() {
    this.worker.onmessage = this.worker.onerror = null;
    this.worker.terminate();
  }
}
