// Watches what is fetched. Pyodide fetches by itself; counting what its responses bring is the only way to show how far
// it is.
//
//   watchFetches(counted, below, failed) -> a function that ends it
//       counted(bytes so far) and failed(error) are told of addresses that start with `below`; of those that no answer
//       came from, failed is told whatever they were

export function watchFetches(counted, below = "", failed = () => {}) {
  const plainFetch = self.fetch;
  let loaded = 0;
  let watching = true;
  const watchedFetch = async (...request) => {
    if (!watching) return plainFetch(...request);
    const response = await plainFetch(...request).catch((error) => {
      failed(error);
      throw error;
    });
    if (!watching || !response.url.startsWith(below)) return response;
    if (!response.ok) failed(new Error(`The server answered ${response.status} for ${new URL(response.url, self.location).pathname}`));
    else if (response.body) count(response.clone().body.getReader()).catch(failed);
    return response; // itself, since browsers keep the code they compile only for what comes straight from fetch
  };
  async function count(reader) {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (!watching) return reader.cancel(); // what nobody reads would be kept
      loaded += value.byteLength;
      counted(loaded);
    }
  }
  self.fetch = watchedFetch;
  return () => {
    watching = false; // whoever has kept the function calls fetch through it for ever
    if (self.fetch === watchedFetch) self.fetch = plainFetch; // else somebody else watches by now
  };
}
