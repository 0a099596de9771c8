// The search of the book: finds and ranks the parts that SEARCH_INDEX holds, and shows them by page.
// A query is cut into terms. A term is a word, or a concept with all its names in both languages.

const HAN = /\p{Script=Han}/u;
// A run of Chinese, a word or number such as nn.LSTM, h_t and 6-4, an operator such as +=.
const TOKENS = new RegExp(
  "\\p{Script=Han}+|(?:(?!\\p{Script=Han})[\\p{L}\\p{N}_])+(?:(?:\\.|-(?=\\p{N}))[\\p{L}\\p{N}_]+)*|[+*=<>|/-]{2,}|[∂∇∑]",
  "gu",
);
const WORDS = /(?:(?!\p{Script=Han})\p{L}){3,}/gu;
const FILLERS = new Set("a an and are do does for how i in is it of on or the to what when why with".split(" "));
const DOUBLED = /(?<=\p{L}{2})([bdgmnprt])\1(?:ings?|ed|er)$/u; // clipping, clipped
const ENDING = /(?<=\p{L}{4})(?:ations?|ions?|ings?|ed|es|s|e)$|(?<=\p{L}{3})(?:ies|ied|y|s)$/u;
const ASIDE = /^(?:Exercise:|Solution to|What to read next$)/; // titles of parts beside a chapter's course

const stem = (word) => word.replace(DOUBLED, "$1").replace(ENDING, "");
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** A pattern for a name as a text may have it: in the plural, with a hyphen or without. */
function pattern(name) {
  if (HAN.test(name) || !/[\p{L}\p{N}]/u.test(name)) {
    return escaped(name);
  }
  const words = name.split(/[\s-]+(?!\p{N})/u).map((word) =>
    /^\p{L}{3,}$/u.test(word) ? `${stem(word)}\\p{L}{0,6}` : escaped(word));
  return `(?<![\\p{L}\\p{N}])${words.join("[\\s-]+")}(?![\\p{L}\\p{N}]|[.-]\\p{N})`;
}

const anyOf = (names) => new RegExp(names.map(pattern).join("|"), "giu");
const count = (expression, text) => (text.match(expression) || []).length;

/** How many letters must be changed, added, left out or swapped to get from one word to the other. */
function distance(from, to) {
  let [before, row] = [[], Array.from({ length: to.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (from[i - 1] !== to[j - 1]));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        next[j] = Math.min(next[j], before[j - 2] + 1);
      }
    }
    [before, row] = [row, next];
  }
  return row[to.length];
}

/** The query with each word that the book does not know replaced by the most similar that it knows. */
function corrected(query, known) {
  return query.replace(WORDS, (word) => {
    const begin = stem(word.toLowerCase());
    const allowed = word.length < 4 ? 0 : word.length < 8 ? 1 : 2;
    let [best, least] = [word, allowed + 1];
    for (const other of known.keys()) {
      if (other.startsWith(begin)) {
        return word;
      }
      if (Math.abs(other.length - word.length) <= allowed) {
        const steps = distance(word.toLowerCase(), other);
        if (steps < least || (steps === least && known.get(other) > known.get(best))) {
          [best, least] = [other, steps];
        }
      }
    }
    return best;
  });
}

/** What to look for: first the concepts in the query, longest names first; then the words left over. */
function termsOf(query, names) {
  const named = names.flatMap((group) => group.map((name) => [name, group]));
  named.sort(([one], [other]) => other.length - one.length);
  const terms = [];
  let rest = query;
  for (const [name, group] of named) {
    const cut = rest.replace(new RegExp(pattern(name), "giu"), " ");
    if (cut !== rest) {
      rest = cut;
      terms.push(concept(group));
    }
  }
  const all = rest.match(TOKENS) || [];
  const telling = all.filter((word) => !FILLERS.has(word.toLowerCase()));
  const left = telling.length || terms.length ? telling : all;
  for (const word of left) {
    // 长短期记忆 is only the beginning of the name of a term.
    const begins = ([name]) => name.startsWith(word) && name.length < 2 * word.length;
    const longer = HAN.test(word) && named.find(begins);
    terms.push(longer ? concept(longer[1]) : { expression: anyOf([word]), words: [] });
  }
  if (left.length > 1) {
    terms.push({ expression: anyOf([left.join(" ")]), words: [], isPhrase: true });
  }
  return terms;
}

/** A concept without a short name is also there, if less surely, where the words of its name are. */
function concept(group) {
  const isShort = group.some((name) => /^[\p{Script=Latin}.]+$/u.test(name));
  const english = group.find((name) => /^\p{Script=Latin}/u.test(name)) || "";
  const words = isShort ? [] : english.split(/[ -]/).filter((word) => word.length > 3);
  return { expression: anyOf(group), words: words.map((word) => anyOf([word])) };
}

/** What each part says of an expression: most if its title does, and the rarer it is. */
function worth(expression, parts) {
  const values = parts.map((part) => {
    const inText = count(expression, part.text);
    return 2 * partOfTitle(expression, part.title) + inText / (inText + 1 + part.text.length / 1500)
      + (part.code.search(expression) < 0 ? 0 : 0.1);
  });
  const rarity = Math.log(1 + parts.length / (1 + values.filter(Boolean).length));
  return { values: values.map((value) => value * rarity), rarity };
}

/** 1 for a title, or its beginning up to a comma or colon, that is the expression; more than 1/2 for one with it. */
function partOfTitle(expression, title) {
  const share = (text) => (text.match(expression) || []).join("").length / text.length;
  const most = Math.max(share(title), share(title.split(/[,:?]/)[0]));
  return most && 0.5 + most / 2;
}

/** The pages that answer a query, best first, each with its best parts. */
function search(index, query) {
  const known = new Map();
  const parts = index.pages.flatMap((page) =>
    page.parts.map(([anchor, title, text, code], number) => {
      `${page.title} ${title} ${text} ${code}`.toLowerCase().match(WORDS)?.forEach((word) =>
        known.set(word, (known.get(word) || 0) + 1));
      return { page, anchor, title, text, code, isTop: number === 0, score: 0, found: 0 };
    }));
  const asked = corrected(query, known);
  const terms = termsOf(asked, index.names);
  let all = 0;
  for (const { expression, words, isPhrase } of terms) {
    const { values, rarity } = worth(expression, parts);
    const single = words.map((word) => worth(word, parts).values);
    all += isPhrase ? 0 : rarity;
    parts.forEach((part, i) => {
      const share = single.filter((value) => value[i]).length / single.length;
      part.score += values[i] + 0.5 * single.reduce((sum, value) => sum + value[i], 0);
      part.found += isPhrase ? 0 : rarity * (values[i] ? 1 : 0.9 * (share || 0));
    });
  }
  for (const part of parts) {
    const isNamed = /[._]/.test(asked) && `.${part.title}`.toLowerCase().endsWith(`.${asked.toLowerCase()}`);
    const standing = isNamed ? 2 : part.page.isReference ? 0.25 : ASIDE.test(part.title) ? 0.7 : 1;
    part.score *= (part.found / all) ** 2 * standing;
  }
  const pages = index.pages.map((page) => {
    const best = parts.filter((part) => part.page === page && part.score > 0);
    best.sort((one, other) => other.score - one.score);
    const score = best.reduce((sum, part, i) => sum + part.score / 4 ** i, 0);
    return { ...page, score, parts: best.slice(0, 3) };
  });
  pages.sort((one, other) => other.score - one.score);
  return { asked, terms, pages: pages.filter(({ score }) => score > pages[0].score / 20) };
}

/** The lines of a text where most terms stand together, in pieces: every second one is a match. */
function excerpt(text, terms, length = 220, before = 60) {
  const matches = terms.flatMap(({ expression, words }) => [expression, ...words]).flatMap((expression) =>
    [...text.matchAll(expression)].map((match) => ({ expression, at: match.index, end: match.index + match[0].length })));
  matches.sort((one, other) => one.at - other.at || other.end - one.end);
  const together = matches.map(({ at }) => new Set(matches
    .filter((match) => match.at >= at && match.end < at + length - before)
    .map(({ expression }) => expression)).size);
  const first = matches[together.indexOf(Math.max(...together))]?.at ?? 0;
  const start = first < before ? 0 : Math.min(first, text.indexOf(" ", first - before) + 1);
  const space = text.lastIndexOf(" ", start + length);
  const end = text.length <= start + length ? text.length : space > start ? space : start + length;
  const pieces = [start ? "… " : ""];
  let done = start;
  for (const { at, end: stop } of matches) {
    if (at >= done && stop <= end) {
      pieces[pieces.length - 1] += text.slice(done, at);
      pieces.push(text.slice(at, stop), "");
      done = stop;
    }
  }
  pieces[pieces.length - 1] += text.slice(done, end) + (end < text.length ? " …" : "");
  return pieces;
}

function element(name, content, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...[content].flat());
  return made;
}

function show(out, index, query) {
  const { asked, terms, pages } = search(index, query);
  const context = ({ text }) => element("p", excerpt(text, terms).map((piece, i) =>
    i % 2 ? element("mark", piece) : piece), { className: "context" });
  const items = pages.map(({ name, title, parts }) => {
    const page = element("li", element("a", title, { href: `${name}.html` }));
    page.append(...parts.filter((part) => part.isTop).map(context));
    const sections = parts.filter((part) => !part.isTop).map((part) =>
      element("li", [element("a", part.title, { href: `${name}.html#${part.anchor}` }), context(part)]));
    page.append(...(sections.length ? [element("ul", sections)] : []));
    return page;
  });
  const nothing = `Nothing found for “${query}”.`;
  const found = `${pages.length} ${pages.length === 1 ? "page" : "pages"} found for “${asked}”.`;
  const said = pages.length === 0 ? nothing : asked === query ? found : `${nothing} ${found}`;
  out.replaceChildren(element("p", said, { className: "search-summary", role: "status" }));
  out.append(...(items.length ? [element("ul", items, { className: "search" })] : []));
}

if (typeof document !== "undefined") {
  document.addEventListener("DOMContentLoaded", () => {
    const query = (new URLSearchParams(location.search).get("q") || "").trim();
    const out = document.getElementById("search-results");
    if (out && query) {
      document.querySelectorAll("input[name='q']").forEach((field) => (field.value = query));
      show(out, SEARCH_INDEX, query);
    }
  });
}
