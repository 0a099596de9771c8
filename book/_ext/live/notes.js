// A reader's own derivation: her notes, and for each equation in them what it is and what the checker says.
// Nothing that is written here leaves the browser.
import {
  SIGNS, askAbout, busy, cannotShow, inSentences, inWords, pictureOf, repairOf, sentence, tooLong, typeset,
} from "./checker.js";

const KEPT = "nndl_rnn: own derivation";
const KINDS = { declared: "shapes", defined: "definition", verified: "claim", left: "leave out" };
const TIMES = 4; // time steps of the network
const FRONT = `---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
`;

const form = document.querySelector(".live-notes");
const find = (selector) => form.querySelector(selector);
const notes = find("textarea");
const letters = find("input");
const list = find(".live-equations");
const status = find(".live-status");
const passes = JSON.parse(find(".live-passes").textContent);
let chosen = {}; // what a reader said an equation is, by its LaTeX
let rows = [];
let running = 0;
let pause; // until what is typed is shown

// ---------------------------------------------------------------------- what notes say

const DISPLAYED = /```[^]*?```|\$\$([^]*?)\$\$|\\\[([^]*?)\\\]|\\begin\{((?:equation|align|gather|multline)\*?)\}([^]*?)\\end\{\3\}/g;

/** The displayed equations of notes: LaTeX, and where it begins. Notes without any are equations, one a paragraph. */
export function equationsIn(text) {
  const found = [];
  const put = (latex, at) => {
    const lead = latex.length - latex.trimStart().length;
    if (latex.trim()) found.push({ text: latex.trim(), at: at + lead });
  };
  for (const match of text.matchAll(DISPLAYED)) {
    const latex = match[1] ?? match[2] ?? match[4];
    if (latex !== undefined) put(latex, match.index + match[0].indexOf(latex, 2));
  }
  if (found.length) return found;
  for (const match of text.matchAll(/(?:[^\n]*\S[^\n]*(?:\n|$))+/g)) put(match[0], match.index);
  return found;
}

const withoutLayout = (text) => text.replace(/\\(?:begin|end)\{\w+\*?\}|[&\s]|\\(?:quad|qquad|[,;:!])(?![a-zA-Z])/g, "");

/** The left sides of an equation, one for each statement in it. */
export const leftSides = (text) =>
  withoutLayout(text.replace(/\\\\|,\s*\\q?quad|\\qquad/g, "\u0000"))
    .split(/[\u0000,]/)
    .filter((part) => /=|\\equiv/.test(part) && !/^[^=]*\\(?:le|ge|leq|geq|in)(?![a-z])/.test(part))
    .map((part) => part.split(/:?=|\\coloneqq|\\equiv/)[0])
    .filter(Boolean);

/** What an equation is, as far as its form tells: shapes, a definition of a new name, or else a claim. */
export function guess(text, known) {
  if (/\\in\b[^=]*\\mathbb/.test(text) && !/=/.test(text)) return "declared";
  const names = leftSides(text);
  const derives = names.some((name) => /\\partial|\\frac|\\nabla|\\mathrm\{d\}/.test(name));
  const isNew = names.length && names.every((name) => !known.has(name) && !/[+\-]1\b|[_{]0\}?$/.test(name));
  return isNew && !derives ? "defined" : "verified";
}

/** ``\delta_t = \partial L / \partial h_t`` as a definition is printed with ``:=``: the text, and where a colon was put. */
export function asDefinition(text) {
  const sign = /=/.exec(text);
  const names = /\\frac\{?\s*(?:\\(?:partial|mathrm)|d[a-zA-Z\\])|\\nabla/.test(text.slice(sign?.index ?? 0));
  if (!sign || !names || text[sign.index - 1] === ":") return { text, colon: Infinity };
  const colon = sign.index - (text[sign.index - 1] === "&" ? 1 : 0);
  return { text: `${text.slice(0, colon)}:${text.slice(colon)}`.replace(":&=", "&:="), colon };
}

/** Sizes, different ones, for all dimensions that shapes name. */
export function sizesIn(text) {
  const found = {};
  for (const [, braced, letter] of text.matchAll(/\\mathbb\s*\{?R\}?\s*\^\s*(?:\{([^}]*)\}|([a-zA-Z]))/g)) {
    for (const name of (braced ?? letter).match(/\\?[a-zA-Z]+/g) ?? []) {
      if (!name.startsWith("\\") && !(name in found)) found[name] = [3, 2, 4, 5][Object.keys(found).length] ?? Object.keys(found).length + 2;
    }
  }
  return found;
}

/** Unknown functions that occur: of losses, and those applied to each entry. */
const functionsIn = (text) => {
  const called = (name) => new RegExp(`\\\\${name}(?![a-zA-Z])(?:_\\w|_\\{[^}]*\\}|'|\\s)*(?:\\\\left|\\\\[bB]igg?l?)?\\s*\\(`).test(text);
  return [
    ...["ell"].filter(called).map((name) => ["function", `\\${name}`]),
    ...["phi", "varphi", "psi"].filter(called).map((name) => ["activation", `\\${name}`]),
  ];
};

/** The derivation as the checker takes it. */
function derivation(taken) {
  const all = taken.map((row) => row.text).join("\n");
  const sources = {};
  const steps = functionsIn(all);
  for (const { label, kind, text } of taken) {
    const printed = kind === "defined" ? asDefinition(text).text : text;
    sources[label] = { text: printed, file: "notes.md", line: 1, label };
    steps.push([kind, label]);
  }
  const recipe = { last: TIMES, indices: "t k j", sizes: sizesIn(all), steps };
  if (letters.value.trim()) recipe.notation = letters.value.trim();
  return { recipes: [recipe], sources };
}

/** A chapter that the checker takes from the command line. */
export function asChapter({ recipes: [recipe], sources }) {
  const printed = Object.values(sources).map(({ text, label }) => `$$\n${text}\n$$ (${label})\n`);
  const sizes = Object.entries(recipe.sizes).map(([name, size]) => `, ${name}=${size}`).join("");
  const verbs = { function: "function", activation: "activation", declared: "declare", defined: "define", verified: "verify" };
  const calls = recipe.steps.map(([use, what]) => `page.${verbs[use]}(r"${what}")`);
  const [imported, said] = recipe.notation ? [", Notation", `, notation=Notation(${recipe.notation})`] : ["", ""];
  const cell = ["```{code-cell}", ":tags: [derivation]", `from texproof import Derivation${imported}`, "",
    `page = Derivation("notes.md", T=${recipe.last}${sizes}${said})`, ...calls, "```"];
  return `${FRONT}\n# My derivation\n\n${printed.join("\n")}\n${cell.join("\n")}\n`;
}

// ---------------------------------------------------------------------- the page

function say(verdict, words) {
  if (verdict) form.dataset.verdict = verdict;
  else delete form.dataset.verdict;
  status.textContent = verdict ? `${SIGNS[verdict]} ${words}` : words;
}

const keep = () => {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ text: notes.value, chosen, letters: letters.value }));
  } catch {
    // not allowed here: then the notes last as long as the page
  }
};

function show() {
  running++;
  say("", "");
  const known = new Set();
  rows = equationsIn(notes.value).map(({ text, at }, index) => {
    const kind = chosen[text] ?? guess(text, known);
    if (kind === "defined") leftSides(text).forEach((name) => known.add(name));
    return { text, at, kind, label: `eq-own-${index + 1}` };
  });
  list.replaceChildren(...rows.map(rowOf));
  find("[data-action=download]").disabled = !rows.length;
  keep();
}

function rowOf(row, index) {
  const item = document.createElement("li");
  const picture = document.createElement("div");
  picture.className = "live-picture";
  typeset(row.text).then((html) => (picture.innerHTML = html), () => (picture.textContent = row.text));
  const select = document.createElement("select");
  select.setAttribute("aria-label", `Equation ${index + 1} is`);
  for (const [value, word] of Object.entries(KINDS)) select.add(new Option(word, value, false, value === row.kind));
  select.onchange = () => {
    chosen[row.text] = select.value;
    show();
    list.children[index].querySelector("select").focus();
  };
  const said = document.createElement("p");
  const more = document.createElement("div");
  item.append(picture, select, said, more);
  Object.assign(row, { item, picture, said, more });
  return item;
}

function tell(row, verdict, words) {
  row.item.dataset.verdict = verdict;
  row.said.textContent = `${SIGNS[verdict] ?? ""} ${words}`.trim();
}

/** The piece of the notes that is wrong, red. */
const redden = (row, span) => {
  const { colon } = row.kind === "defined" ? asDefinition(row.text) : { colon: Infinity };
  const own = span?.map((at) => (at > colon ? at - 1 : at));
  pictureOf(row.text, own).then((html) => (row.picture.innerHTML = html), () => {});
};

async function check() {
  clearTimeout(pause);
  show();
  const mine = running;
  const current = () => mine === running;
  const taken = rows.filter((row) => row.kind !== "left");
  if (!taken.some((row) => row.kind === "verified")) return say("", "There is no claim to check.");
  try {
    let left = [];
    for (const row of taken) {
      const why = tooLong(row.text) || (await cannotShow(row.text));
      if (why) tell(row, "unreadable", `Not understood: ${why}`);
      else left.push(row);
    }
    if (!current()) return;
    busy("Reading …", (words) => current() && say("busy", words));
    const { wrong, unused } = await about(left)({ ask: "read" });
    if (!current()) return;
    for (const row of left.filter(({ label }) => label in wrong)) {
      tell(row, "unreadable", inWords(wrong[row.label]));
      redden(row, wrong[row.label].span);
    }
    left = left.filter(({ label }) => !(label in wrong));
    for (const row of left.filter(({ kind }) => kind !== "verified")) {
      const idle = unused.includes(row.label) ? ": no claim depends on it, so nothing is said of it" : "";
      tell(row, "read", `Read as ${row.kind === "declared" ? "shapes" : "a definition"}${idle}.`);
    }
    const count = await judge(left, current);
    if (!current()) return;
    const unread = taken.filter(({ item }) => item.dataset.verdict === "unreadable").length;
    const parts = [`${count.verified} verified`, `${count.refuted} refuted`, `${unread} not understood`];
    if (count.unfinished) parts.push(`${count.unfinished} not finished`);
    say(count.refuted ? "refuted" : count.verified && !unread && !count.unfinished ? "verified" : "unreadable", `${parts.join(", ")}.`);
  } catch (error) {
    if (current()) say("failed", error.message.replace(/^[\w.]*Error: /, ""));
  }
}

let derivations = 0;
/** A function that asks about some rows as one derivation. */
function about(some) {
  const [name, chapter] = [`own ${++derivations}`, JSON.stringify(derivation(some))];
  return (message) => askAbout(name, chapter, { asked: 0, ...message });
}

async function judge(some, current) {
  const count = { verified: 0, refuted: 0, unreadable: 0, unfinished: 0 };
  const claims = some.filter(({ kind }) => kind === "verified");
  const asks = about(some);
  for (const [at, row] of claims.entries()) {
    say("busy", `Checking claim ${at + 1} of ${claims.length} …`);
    const { label, text } = row;
    const answer = await asks({ ask: "check", label, text });
    if (!current()) return count;
    count[answer.verdict]++;
    tell(row, answer.verdict, inWords(answer));
    if (answer.verdict === "verified") continue;
    redden(row, answer.span);
    if (answer.remarks.length) row.more.append(await inSentences(answer.remarks));
    if (answer.verdict !== "refuted") continue;
    const edit = await repairOf({ label, text, blamed: answer.span }, current, asks);
    if (edit) await offer(row, edit);
  }
  return count;
}

async function offer(row, { span: [start, end], replacement, words }) {
  const line = document.createElement("p");
  const repair = document.createElement("button");
  repair.type = "button";
  repair.textContent = "Repair it";
  repair.onclick = () => {
    const from = row.at + start;
    notes.value = notes.value.slice(0, from) + replacement + notes.value.slice(row.at + end);
    check();
  };
  line.append("Did you mean ", await sentence(words), "? ", repair);
  row.more.append(line);
}

function addPass(name) {
  const printed = passes[name].map(({ text }) => `$$\n${text}\n$$\n`);
  for (const { use, text } of passes[name]) chosen[text.trim()] = use;
  notes.value = `${printed.join("\n")}\n${notes.value}`;
  show();
}

function download() {
  const chapter = asChapter(derivation(rows.filter((row) => row.kind !== "left")));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([chapter], { type: "text/markdown" }));
  link.download = "notes.md";
  link.click();
  URL.revokeObjectURL(link.href);
}

// ---------------------------------------------------------------------- begin

const begin = find("select.live-pass");
for (const name of Object.keys(passes)) begin.add(new Option(name, name));
begin.onchange = () => {
  if (begin.value) addPass(begin.value);
  begin.value = "";
};
notes.oninput = letters.oninput = () => {
  clearTimeout(pause);
  pause = setTimeout(show, 200);
};
notes.onkeydown = (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  check();
};
form.onsubmit = (event) => {
  event.preventDefault();
  check();
};
find("[data-action=download]").onclick = download;
find("[data-action=clear]").onclick = () => {
  if (notes.value.trim() && !confirm("Delete these notes from this browser?")) return;
  notes.value = letters.value = "";
  chosen = {};
  show();
};
try {
  const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null");
  if (kept) [notes.value, chosen, letters.value] = [kept.text, kept.chosen, kept.letters ?? ""];
} catch {
  // nothing was kept
}
form.dataset.live = "";
show();
