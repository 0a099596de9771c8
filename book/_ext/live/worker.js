// The checker in a worker: Python as WebAssembly, the checker's modules, what cells of pages did.
// Started by box.js. Large files are kept by the browser, and counted as they arrive.
const here = new URL(".", import.meta.url);
const plainFetch = self.fetch.bind(self);
let loaded = 0;

// The folder's name changes with its content, so a file once kept needs no second look.
const keep = (async () => {
  if (!self.caches) return null; // not over https
  const own = `live ${here.pathname}`;
  for (const name of await caches.keys()) {
    if (name.startsWith("live ") && name !== own) await caches.delete(name);
  }
  return caches.open(own);
})().catch(() => null);

async function file(name) {
  const address = new URL(name, here);
  const kept = await (await keep)?.match(address);
  if (kept) return kept;
  const response = await plainFetch(address);
  if (!response.ok) throw new Error(`${name} is not there (${response.status}): reload the page`);
  await (await keep)?.put(address, response.clone()).catch(() => {});
  return response;
}

// The stream of a large file, counted, and unpacked unless the server has done so already.
async function content(name) {
  const [body, start] = (await file(name)).body.tee();
  const reader = start.getReader();
  const { value: first } = await reader.read();
  reader.cancel();
  const counted = body.pipeThrough(new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      postMessage({ loaded });
      controller.enqueue(chunk);
    },
  }));
  const packed = name.endsWith(".gz") && first[0] === 0x1f && first[1] === 0x8b;
  return packed ? counted.pipeThrough(new DecompressionStream("gzip")) : counted;
}

// Pyodide asks for its files by fetch.
self.fetch = async (input, options) => {
  const name = new URL(input.url ?? input, here).pathname.split("/").pop();
  if (name === "pyodide.asm.wasm") {
    return new Response(await content(`${name}.gz`), { headers: { "Content-Type": "application/wasm" } });
  }
  return name === "stdlib.zip" ? new Response(await content(name)) : plainFetch(input, options);
};

async function start() {
  // Where WebAssembly is forbidden, Pyodide would wait for ever: ask before.
  try {
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    throw new Error("This browser does not allow WebAssembly here, which the checker needs.");
  }
  const checker = content("checker.zip").then((stream) => new Response(stream).arrayBuffer());
  const { loadPyodide } = await import("./pyodide.mjs");
  const python = await loadPyodide({ indexURL: String(here), stdLibURL: String(new URL("stdlib.zip", here)) });
  python.FS.writeFile("/checker.zip", new Uint8Array(await checker));
  python.runPython(`
import sys, zipfile
zipfile.ZipFile("/checker.zip").extractall("/checker")
sys.path.insert(0, "/checker")
import live_worker
`);
  return python.pyimport("live_worker");
}

let checker;
const pages = new Set();

const answers = {
  load: () => "{}",
  check: ({ page, label, asked, text }) => checker.check(page, label, asked, text),
  prove: ({ page, label, text }) => checker.prove(page, label, text),
  repair: ({ page, label, asked, text, blamed, count }) =>
    checker.repair(page, label, asked, text, JSON.stringify(blamed), count),
  mistake: ({ page, label, seed }) => checker.mistake(page, label, seed),
  what_if: ({ page, label, text, first }) => checker.next_claim(page, label, text, first),
  read: ({ page }) => checker.read(page),
};

self.onmessage = async ({ data }) => {
  try {
    checker = await (checker ??= start());
    if (!pages.has(data.page)) checker.add_page(data.page, data.chapter, data.macros);
    pages.add(data.page);
    postMessage({ id: data.id, answer: JSON.parse(answers[data.ask](data)) });
  } catch (error) {
    postMessage({ id: data.id, failed: String(error?.message ?? error).trim().split("\n").pop() });
  }
};
