// Typeset formulas with KaTeX: one JSON request a line on stdin, one JSON answer a line on stdout.
// The first argument is the folder of the npm package. The process ends when its stdin does.
"use strict";

const path = require("node:path");
const readline = require("node:readline");

const katex = require(path.join(process.argv[2], "dist", "katex.js"));

// Whatever KaTeX would only warn about is an error, but for Chinese in \text and its like.
const strict = (code) => (code === "unicodeTextInMathMode" ? "ignore" : "error");

// A line of a displayed formula may end before a relation or a binary sign, and after a wide space.
// KaTeX knows parts, and ends lines after signs. Here a sign, with its space, moves to the part that
// follows it. What stands between wide spaces is a clause, and what begins with a relation a segment
// of it: a line that is too long breaks between clauses first, then between segments.
const hasClass = (node, name) => node !== undefined && node.hasClass(name);
const isSpace = (node) => hasClass(node, "mspace");
const isSign = (node) => hasClass(node, "mrel") || hasClass(node, "mbin");
const isWideSpace = (node) => isSpace(node) && parseFloat(node.style.marginRight) >= 1;

// What stands between wide spaces, each of which ends a piece.
function pieces(nodes) {
  const found = [[]];
  for (const node of nodes) {
    found.at(-1).push(node);
    if (isWideSpace(node)) found.push([]);
  }
  return found.filter((piece) => piece.length > 0);
}

// The sign at the end, with the space around it, is taken from the nodes.
function takeSign(nodes) {
  let start = nodes.length;
  while (isSpace(nodes[start - 1])) start -= 1;
  if (!isSign(nodes[start - 1])) return [];
  start -= 1;
  while (isSpace(nodes[start - 1])) start -= 1;
  return nodes.splice(start);
}

function breakBeforeSigns(html) {
  const span = (name, children) => new html.constructor([name], children);
  const clauses = [];
  let sign = [];
  let isNew = true;
  for (const { children: [strut, ...nodes] } of html.children) {
    for (const piece of pieces(nodes)) {
      const content = [strut, ...sign, ...piece];
      if (isNew) clauses.push([]);
      if (isNew || sign.some((node) => hasClass(node, "mrel"))) clauses.at(-1).push([]);
      isNew = isWideSpace(piece.at(-1));
      sign = takeSign(content);
      clauses.at(-1).at(-1).push(span("base", content));
    }
  }
  clauses.at(-1).at(-1).at(-1).children.push(...sign);
  html.children = clauses.map((segments) =>
    span("clause", segments.map((parts) => span("segment", parts))));
}

function markup(latex, options) {
  if (!options.displayMode) return katex.renderToString(latex, options);
  const tree = katex.__renderToDomTree(latex, options);
  breakBeforeSigns(tree.children[0].children[1]);
  return tree.toMarkup();
}

function answer({ latex, display, macros }) {
  try {
    const html = markup(latex, {
      displayMode: display,
      output: "htmlAndMathml",
      throwOnError: true,
      strict,
      macros,
    });
    return { html };
  } catch (error) {
    return { error: error.message };
  }
}

readline
  .createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on("line", (line) => process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n"));
