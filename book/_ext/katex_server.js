// Typeset formulas with KaTeX: one JSON request a line on stdin, one JSON answer a line on stdout.
// The first argument is the folder of the npm package. The process ends when its stdin does.
"use strict";

const path = require("node:path");
const readline = require("node:readline");

const katex = require(path.join(process.argv[2], "dist", "katex.js"));

// Whatever KaTeX would only warn about is an error, but for Chinese in \text and its like.
const strict = (code) => (code === "unicodeTextInMathMode" ? "ignore" : "error");

function answer({ latex, display, macros }) {
  try {
    const html = katex.renderToString(latex, {
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
