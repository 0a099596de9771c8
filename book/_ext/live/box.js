// A box below an equation: a reader changes the LaTeX, and the checker, in a worker, says whether it holds.
const here = new URL(".", import.meta.url);
const site = new URL(document.documentElement.dataset.content_root, document.baseURI);
const page = JSON.parse(document.getElementById("live-page").textContent);
const PATIENCE = 60_000; // milliseconds for one answer
const METHODS = {
  "float64, complex step": "floating point",
  "50 digits": "50 digits",
  "modulo 2^61 - 1": "modulo a prime",
};
const SIGNS = { verified: "✓", refuted: "✗", unreadable: "?", unfinished: "…", busy: "…", failed: "!" };

// ---------------------------------------------------------------------- the worker

let worker = null;
let ready = false;
let asked = 0;
let onLoaded = () => {};
const waiting = new Map();

/** Ask the checker; it is started if need be, and given up if it takes too long. */
async function ask(message) {
  const chapter = await chapterText();
  worker ??= startWorker();
  const id = ++asked;
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => giveUp("This takes too long. The checker was started anew."), PATIENCE);
    waiting.set(id, { resolve, reject, patience });
    worker.postMessage({ id, page: page.equations, chapter, macros: JSON.stringify(page.macros), ...message });
  });
}

function startWorker() {
  const started = new Worker(new URL("worker.js", here), { type: "module", name: "equation checker" });
  started.onmessage = ({ data }) => {
    if (data.loaded) return onLoaded(data.loaded);
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
function chapterText() {
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
async function typeset(text, displayMode = true) {
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
const cannotShow = (text) => typeset(text).then(() => "", (error) => error.message.replace("KaTeX parse error: ", ""));

const wrongPart = (text, [start, end]) =>
  `${text.slice(0, start)}{\\htmlClass{live-wrong}{${text.slice(start, end)}}}${text.slice(end)}`;

/** A line with formulas between dollar signs. */
async function sentence(text) {
  const line = document.createElement("span");
  for (const [at, part] of text.split("$").entries()) {
    const piece = document.createElement("span");
    if (at % 2) await typeset(part, false).then((html) => (piece.innerHTML = html), () => (piece.textContent = part));
    else piece.textContent = part;
    line.append(piece);
  }
  return line;
}

// ---------------------------------------------------------------------- the box

/** What a press of a button does: opens a box, or the first action in one that the page came with. */
export function start(button) {
  const form = button.closest(".live-box");
  const equation = form?.previousElementSibling ?? button.closest(".checked-equation");
  const opened = equation.nextElementSibling?.matches(".live-box") ? equation.nextElementSibling : null;
  if (opened && !("live" in opened.dataset)) new Box(opened, equation.querySelector(".live-button"));
  if (form) return button.click();
  if (opened) return opened.querySelector("textarea").focus();
  const made = document.getElementById("live-box").content.firstElementChild.cloneNode(true);
  equation.after(made);
  new Box(made, button).load();
}

class Box {
  constructor(form, button) {
    Object.assign(this, { form, button, running: 0, typed: 0, tried: new Set() });
    form.dataset.live = "";
    const find = (selector) => form.querySelector(selector);
    this.text = find("textarea");
    this.picture = find(".live-picture");
    this.status = find(".live-status");
    this.remarks = find(".live-remarks");
    this.label = button.dataset.label;
    this.original = this.text.value;
    const { number } = button.dataset;
    find(".live-number").textContent = number;
    form.setAttribute("aria-label", `Change equation ${number}`);
    button.setAttribute("aria-expanded", "true");
    const actions = { mistake: () => this.makeMistake(), original: () => this.put(this.original), close: () => this.close() };
    for (const [name, action] of Object.entries(actions)) find(`[data-action=${name}]`).onclick = action;
    form.onsubmit = (event) => {
      event.preventDefault();
      this.check();
    };
    form.onkeydown = (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.check();
      else if (event.key === "Escape") this.close();
      else return;
      event.preventDefault();
    };
    this.text.oninput = () => this.changed();
  }

  async load() {
    try {
      const { sources } = JSON.parse(await chapterText());
      this.original = sources[this.label].text;
      this.put(this.original);
      if (navigator.connection?.saveData && !ready) {
        return this.say("", `Check loads the checker, ${megabytes(page.bytes)} MB, once.`);
      }
      if (ready) return;
      const mine = this.running;
      this.say("busy", "Loading the checker …");
      onLoaded = (bytes) => {
        if (mine !== this.running) return;
        this.say("busy", `Loading the checker, ${megabytes(bytes)} of ${megabytes(page.bytes)} MB, once …`);
      };
      await ask({ ask: "load" });
      if (mine === this.running) this.say("", "The checker is ready. Change something.");
    } catch (error) {
      this.say("failed", error.message);
    }
  }

  say(verdict, words) {
    if (verdict) this.form.dataset.verdict = verdict;
    else delete this.form.dataset.verdict;
    this.status.textContent = verdict ? `${SIGNS[verdict]} ${words}` : words;
    this.remarks.replaceChildren();
  }

  /** Show a text as she types; a text that is no LaTeX leaves the last picture, dimmed. */
  async show(text, span) {
    const mine = ++this.typed;
    const put = (html) => {
      if (mine !== this.typed) return;
      this.picture.innerHTML = html;
      this.picture.classList.remove("live-old");
      this.picture.classList.toggle("goes-on", this.picture.scrollWidth > this.picture.clientWidth + 1);
    };
    const marked = span && span[1] > span[0] ? typeset(wrongPart(text, span)) : Promise.reject();
    await marked.catch(() => typeset(text)).then(put, () => this.picture.classList.add("live-old"));
  }

  changed() {
    this.running++;
    this.say("", "");
    this.show(this.text.value);
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight + 2}px`;
  }

  put(text) {
    this.text.value = text;
    this.changed();
    this.text.focus({ preventScroll: true });
  }

  close() {
    this.running++;
    this.form.remove();
    this.button.setAttribute("aria-expanded", "false");
    this.button.focus();
  }

  async makeMistake() {
    const mine = ++this.running;
    this.say("busy", "Making a mistake …");
    try {
      for (let tries = 0; tries < 20; tries++) {
        const seed = Math.floor(Math.random() * 2 ** 31);
        const { text } = await ask({ ask: "mistake", label: this.label, seed });
        if (mine !== this.running) return;
        if (this.tried.has(text) || (await cannotShow(text))) continue; // such as two superscripts
        this.tried.add(text);
        return this.put(text);
      }
      this.say("", "No other mistake was found.");
    } catch (error) {
      this.say("failed", error.message);
    }
  }

  async check() {
    const mine = ++this.running;
    const current = () => mine === this.running;
    const text = this.text.value;
    try {
      if (text.length > page.longest) {
        return this.say("unreadable", `Not checked: it has ${text.length} characters, and at most ${page.longest} can be.`);
      }
      const why = await cannotShow(text);
      if (!current()) return;
      if (why) return this.say("unreadable", `Not understood: this is no LaTeX that can be shown. ${why}`);
      this.say("busy", ready ? "Checking …" : `Loading the checker, ${megabytes(page.bytes)} MB, once …`);
      onLoaded = (bytes) => {
        if (current()) this.say("busy", `Loading the checker, ${megabytes(bytes)} of ${megabytes(page.bytes)} MB, once …`);
      };
      const answer = await ask({ ask: "check", label: this.label, text });
      if (current()) await this.tell(answer, text, current);
    } catch (error) {
      if (current()) this.say("failed", error.message);
    }
  }

  async tell({ verdict, message, span, remarks, levels }, text, current) {
    if (verdict === "verified") {
      const methods = levels.map((level) => METHODS[level] ?? level);
      this.say(verdict, `Verified by ${[...new Set(methods)].join(", ")}.`);
      return this.show(text);
    }
    const words = { refuted: "Refuted", unreadable: "Not understood", unfinished: "Neither verified nor refuted" };
    const reason = message.replace("the equation does not hold here: ", "").replace(/ \[[^\]]*\]$/, "");
    this.say(verdict, `${words[verdict]}: ${reason}.`);
    this.show(text, span);
    if (remarks.length) this.remark(await sentence(remarks.map((r) => `${r[0].toUpperCase()}${r.slice(1)}.`).join(" ")));
    if (verdict === "refuted") await this.lookForRepair(text, span, current);
  }

  remark(...parts) {
    const line = document.createElement("p");
    line.append(...parts);
    this.remarks.append(line);
  }

  /** Try edits in one place, a few at a time, so that a new check need not wait for long. */
  async lookForRepair(text, blamed, current) {
    let edit = {};
    while (edit && !edit.span) {
      edit = await ask({ ask: "repair", label: this.label, text, blamed, count: 16 });
      if (!current()) return;
    }
    if (!edit) return;
    const show = document.createElement("button");
    show.type = "button";
    show.textContent = "Show it";
    show.onclick = async () => {
      this.show(text, edit.span);
      this.text.focus({ preventScroll: true });
      this.text.setSelectionRange(...edit.span);
      show.before("Did you mean ", await sentence(edit.words), "? ");
      show.textContent = "Repair it";
      show.onclick = () => {
        this.put(text.slice(0, edit.span[0]) + edit.replacement + text.slice(edit.span[1]));
        this.check();
      };
    };
    this.remark("One small change would make it hold. ", show);
  }
}

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
