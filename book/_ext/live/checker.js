// The checker in its worker, LaTeX as pictures, and the words of an answer: what all forms share.
const here = new URL(".", import.meta.url);
const site = new URL(document.documentElement.dataset.content_root, document.baseURI);
export const page = JSON.parse(document.getElementById("live-page").textContent);
const PATIENCE = 60_000; // milliseconds for one answer
const METHODS = {
  "float64, complex step": "floating point",
  "50 digits": "50 digits",
  "modulo 2^61 - 1": "modulo a prime",
};
const WORDS = { refuted: "Refuted", unreadable: "Not understood", unfinished: "Neither verified nor refuted" };
export const SIGNS = { verified: "✓", refuted: "✗", unreadable: "?", unfinished: "…", busy: "…", failed: "!" };

// ---------------------------------------------------------------------- the worker

let worker = null;
let ready = false;
let asked = 0;
let say = () => {};
const waiting = new Map();

/** Ask the checker about this page; it is started if need be, and given up if it takes too long. */
export const ask = async (message) => askAbout(page.equations, await chapterText(), message);

/** Ask it about a derivation, which has a name of its own. */
export async function askAbout(name, chapter, message) {
  worker ??= startWorker();
  const id = ++asked;
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => giveUp("This takes too long. The checker was started anew."), PATIENCE);
    waiting.set(id, { resolve, reject, patience });
    worker.postMessage({ id, page: name, chapter, macros: JSON.stringify(page.macros), ...message });
  });
}

/** What to say while the checker works: a function of words gets how much of it is loaded. */
export function busy(doing, tell) {
  say = tell;
  tell(ready ? doing : `Loading the checker, ${megabytes(page.bytes)} MB, once …`);
}

export const isReady = () => ready;

function startWorker() {
  const started = new Worker(new URL("worker.js", here), { type: "module", name: "equation checker" });
  started.onmessage = ({ data }) => {
    if (data.loaded) return say(`Loading the checker, ${megabytes(data.loaded)} of ${megabytes(page.bytes)} MB, once …`);
    const entry = waiting.get(data.id);
    // Python that ran out of stack or memory cannot go on: the next question starts a new worker.
    if (/fatal|call stack|recursion|memory/i.test(data.failed ?? "")) {
      return giveUp("This is too long or too deep for the checker, which was started anew.");
    }
    waiting.delete(data.id);
    clearTimeout(entry?.patience);
    if (data.failed) return entry?.reject(new Error(data.failed));
    ready = true;
    entry?.resolve(data.answer);
  };
  started.onerror = (event) => giveUp(event.message || "The checker could not be loaded.");
  return started;
}

function giveUp(why) {
  worker?.terminate();
  worker = null;
  ready = false;
  for (const { reject, patience } of waiting.values()) {
    clearTimeout(patience);
    reject(new Error(why));
  }
  waiting.clear();
}

let chapter = null;
/** What the cells of this page did, as the build wrote it down. */
export function chapterText() {
  chapter ??= fetch(new URL(page.equations, site), { cache: "no-cache" })
    .then((response) => (response.ok ? response.text() : Promise.reject()))
    .catch(() => {
      chapter = null;
      throw new Error("The equations of this page are not there: reload it.");
    });
  return chapter;
}

// ---------------------------------------------------------------------- typesetting

let katex = null;
const loadKatex = () => (katex ??= new Promise((resolve, reject) => {
  const script = document.createElement("script");
  script.src = new URL("katex.min.js", here);
  script.onload = () => resolve(window.katex);
  script.onerror = () => reject(new Error("KaTeX could not be loaded: reload the page."));
  document.head.append(script);
}));

/** KaTeX's HTML; a text with rows or columns outside of an environment is one that Sphinx wraps. */
export async function typeset(text, displayMode = true) {
  const options = {
    displayMode,
    macros: { ...page.macros },
    strict: (code) => (code === "htmlExtension" ? "ignore" : "warn"),
    trust: ({ command, class: name }) => command === "\\htmlClass" && name === "live-wrong",
  };
  const { renderToString } = await loadKatex();
  const limits = text.replace(/\\over(left|right)arrow\{\\prod\}/g, "\\mathop{$&}\\limits");
  try {
    return renderToString(limits, options);
  } catch (error) {
    if (!/&|\\\\/.test(limits)) throw error;
    return renderToString(`\\begin{aligned}${limits}\\end{aligned}`, options);
  }
}

/** Why a text cannot be shown, or nothing. What cannot be shown is never called verified. */
export const cannotShow = (text) => typeset(text).then(() => "", (error) => error.message.replace("KaTeX parse error: ", ""));

const wrongPart = (text, [start, end]) =>
  `${text.slice(0, start)}{\\htmlClass{live-wrong}{${text.slice(start, end)}}}${text.slice(end)}`;

/** A line with formulas between dollar signs. */
export async function sentence(text) {
  const line = document.createElement("span");
  for (const [at, part] of text.split("$").entries()) {
    const piece = document.createElement("span");
    if (at % 2) await typeset(part, false).then((html) => (piece.innerHTML = html), () => (piece.textContent = part));
    else piece.textContent = part;
    line.append(piece);
  }
  return line;
}

/** The picture of a text with its wrong part red, or without where that part cannot be set alone. */
export const pictureOf = (text, span) => {
  const marked = span && span[1] > span[0] ? typeset(wrongPart(text, span)) : Promise.reject();
  return marked.catch(() => typeset(text));
};

// ---------------------------------------------------------------------- words

/** An answer of the checker as a sentence. */
export function inWords({ verdict, message, levels }) {
  if (verdict === "verified") {
    const methods = levels.map((level) => METHODS[level] ?? level);
    return `Verified by ${[...new Set(methods)].join(", ")}.`;
  }
  const reason = message.replace("the equation does not hold here: ", "").replace(/ \[[^\]]*\]$/, "");
  return `${WORDS[verdict]}: ${reason}.`;
}

/** Remarks as one line of sentences. */
export const inSentences = (remarks) =>
  sentence(remarks.map((remark) => `${remark[0].toUpperCase()}${remark.slice(1)}.`).join(" "));

export const tooLong = (text) =>
  text.length > page.longest ? `Not checked: it has ${text.length} characters, and at most ${page.longest} can be.` : "";

/** Try edits in one place, a few at a time, so that a new question need not wait for long. */
export async function repairOf(question, current, about = ask) {
  let edit = {};
  while (edit && !edit.span) {
    edit = await about({ ...question, ask: "repair", count: 16 });
    if (!current()) return null;
  }
  return edit;
}

export const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
