// A box below an equation: a reader changes the LaTeX, and the checker, in a worker, says whether it holds.
// Of a definition it says which claims fall with the change; in an exercise it judges an answer.
import {
  SIGNS, ask, busy, cannotShow, chapterText, inSentences, inWords, isReady, megabytes, page, pictureOf, repairOf, sentence, tooLong,
} from "./checker.js";

/** What a press of a button does: opens a box, or the first action in one that the page came with. */
export function start(button) {
  const form = button.closest(".live-box");
  if (form?.dataset.kind === "answer") {
    new AnswerBox(form, form.dataset);
    return button.click();
  }
  const equation = form?.previousElementSibling ?? button.closest(".checked-equation");
  const pencil = equation.querySelector(".live-button");
  const Kind = pencil.dataset.status === "defined" ? DefinitionBox : Box;
  const opened = equation.nextElementSibling?.matches(".live-box") ? equation.nextElementSibling : null;
  if (opened && !("live" in opened.dataset)) new Kind(opened, pencil.dataset, pencil);
  if (form) return button.click();
  if (opened) return opened.querySelector("textarea").focus();
  const made = document.getElementById("live-box").content.firstElementChild.cloneNode(true);
  equation.after(made);
  new Kind(made, pencil.dataset, pencil).load();
}

class Box {
  constructor(form, { label, number }, button = null) {
    Object.assign(this, { form, button, label, running: 0, typed: 0, tried: new Set() });
    form.dataset.live = "";
    const find = (selector) => form.querySelector(selector);
    this.text = find("textarea");
    this.picture = find(".live-picture");
    this.status = find(".live-status");
    this.remarks = find(".live-remarks");
    this.original = this.text.value;
    this.introduce(number);
    const actions = { mistake: () => this.makeMistake(), original: () => this.put(this.original), close: () => this.close() };
    for (const [name, action] of Object.entries(actions)) {
      const pressed = find(`[data-action=${name}]`);
      if (pressed) pressed.onclick = action;
    }
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

  introduce(number) {
    this.form.querySelector(".live-number").textContent = number;
    this.form.setAttribute("aria-label", `Change equation ${number}`);
    this.button.setAttribute("aria-expanded", "true");
  }

  /** The whole equation, what stands before the piece that is typed, and what is asked about it. */
  get whole() {
    return this.before + this.text.value + this.behind;
  }
  before = "";
  behind = "";
  asked = 0; // which statement an exercise asks for

  question(more) {
    return { label: this.label, asked: this.asked, ...more };
  }

  async load() {
    try {
      const { sources } = JSON.parse(await chapterText());
      this.original = sources[this.label].text;
      this.put(this.original);
      if (navigator.connection?.saveData && !isReady()) {
        return this.say("", `Check loads the checker, ${megabytes(page.bytes)} MB, once.`);
      }
      if (isReady()) return;
      const mine = this.running;
      this.busy("", () => mine === this.running);
      await ask({ ask: "load" });
      if (mine === this.running) this.say("", "The checker is ready. Change something.");
    } catch (error) {
      this.say("failed", error.message);
    }
  }

  busy(doing, current) {
    busy(doing, (words) => current() && this.say("busy", words));
  }

  say(verdict, words) {
    if (verdict) this.form.dataset.verdict = verdict;
    else delete this.form.dataset.verdict;
    this.status.textContent = verdict ? `${SIGNS[verdict]} ${words}` : words;
    this.remarks.replaceChildren();
  }

  remark(...parts) {
    const line = document.createElement("p");
    line.append(...parts);
    this.remarks.append(line);
  }

  /** Show the text as she types; one that is no LaTeX leaves the last picture, dimmed. */
  async show(span) {
    const mine = ++this.typed;
    const put = (html) => {
      if (mine !== this.typed) return;
      this.picture.innerHTML = html;
      this.picture.classList.remove("live-old");
      this.picture.classList.toggle("goes-on", this.picture.scrollWidth > this.picture.clientWidth + 1);
    };
    await pictureOf(this.whole, span).then(put, () => this.picture.classList.add("live-old"));
  }

  changed() {
    this.running++;
    this.say("", "");
    this.show();
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
        const { text } = await ask(this.question({ ask: "mistake", seed }));
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
    const text = this.whole;
    try {
      if (tooLong(text)) return this.say("unreadable", tooLong(text));
      const why = await cannotShow(text);
      if (!current()) return;
      if (why) return this.say("unreadable", `Not understood: this is no LaTeX that can be shown. ${why}`);
      this.busy("Checking …", current);
      await this.judge(text, current);
    } catch (error) {
      if (current()) this.say("failed", error.message);
    }
  }

  async judge(text, current) {
    const answer = await ask(this.question({ ask: "check", text }));
    if (!current()) return;
    const { verdict, span, remarks } = answer;
    this.say(verdict, inWords(answer));
    this.show(span);
    if (remarks.length) this.remark(await inSentences(remarks));
    if (verdict === "verified") return this.grade(text, current);
    if (verdict !== "refuted") return;
    const edit = await repairOf(this.question({ text, blamed: span }), current);
    if (edit) this.offer(edit);
  }

  /** Of what is verified: whether the book's proof of the printed equation fits it, too. */
  async grade(text, current) {
    if (this.asked) return;
    const { proved = null } = await ask(this.question({ ask: "prove", text })).catch(() => ({}));
    if (proved === null || !current()) return;
    if (proved) this.remark("Proved for every T and every size: the book’s proof fits.");
    else this.remark("It holds at every point that was tried. The book’s proof does not fit what you wrote; that says nothing against it.");
  }

  /** Offer an edit with which the equation holds: first where it is, then what it is. */
  offer({ span: [start, end], replacement, words }) {
    const [from, to] = [start - this.before.length, end - this.before.length];
    const show = document.createElement("button");
    show.type = "button";
    show.textContent = "Show it";
    show.onclick = async () => {
      this.show([start, end]);
      this.text.focus({ preventScroll: true });
      this.text.setSelectionRange(from, to);
      show.before("Did you mean ", await sentence(words), "? ");
      show.textContent = "Repair it";
      show.onclick = () => {
        this.put(this.text.value.slice(0, from) + replacement + this.text.value.slice(to));
        this.check();
      };
    };
    this.remark("One small change would make it hold. ", show);
  }
}

/** The right side of an equation, as the answer to an exercise. */
class AnswerBox extends Box {
  constructor(form, given) {
    super(form, given);
    Object.assign(this, { before: given.before, behind: given.behind, asked: Number(given.asked) });
  }

  introduce() {}

  close() {}
}

/** A definition: which claims fall if it is another one. */
class DefinitionBox extends Box {
  async judge(text, current) {
    const fallen = [];
    let judged = 0;
    for (;;) {
      const { claim, wrong } = await ask(this.question({ ask: "what_if", text, first: judged === 0 }));
      if (!current()) return;
      if (wrong) {
        this.say("unreadable", inWords(wrong));
        return this.show(wrong.span);
      }
      if (!claim) break;
      const [label, verdict] = claim;
      judged++;
      if (verdict !== "holds") fallen.push(label);
      this.say("busy", `${judged} judged, ${fallen.length} fall …`);
    }
    if (!judged) return this.say("", "No verified equation of this page depends on it.");
    if (!fallen.length) return this.say("verified", `All ${judged} equations of this page that depend on it still hold.`);
    this.say("refuted", `Of ${judged} equations of this page that depend on it, ${fallen.length} no longer hold.`);
    this.remark(...fallen.flatMap((label) => [linkTo(label), " "]));
  }
}

/** The number of an equation of this page, which leads to it; an inline formula has none. */
function linkTo(label) {
  const pencil = document.querySelector(`.live-button[data-label="${CSS.escape(label)}"]`);
  if (!pencil) return "(inline)";
  const link = document.createElement("a");
  link.href = `#equation-${label}`;
  link.textContent = pencil.dataset.number;
  return link;
}
