// What the search shows of a page: formulas once, as LaTeX, not also as their HTML and MathML.
if (location.protocol === "file:") {
  // A page opened from a folder may not read its neighbours, so there are no excerpts.
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined" || !Search.htmlToText) {
    return;
  }
  const toText = Search.htmlToText;
  Search.htmlToText = (html, ...rest) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const twice = ".katex-html, .katex-mathml semantics > :not(annotation)";
    const furniture = "#jb-print-docs-body, .bd-header-article, .equation-mark";
    page.querySelectorAll(`${twice}, ${furniture}`).forEach((element) => element.remove());
    return toText(page.documentElement.outerHTML, ...rest);
  };
});
