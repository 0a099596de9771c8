// A box that scrolls sideways takes the keyboard's focus, so that the arrow keys can scroll it.
(() => {
  const update = (box) => {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute("tabindex");
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    const boxes = document.querySelectorAll(".equation, .ledger-box");
    // A window made narrower, a dropdown opened: the box gets another size.
    const observer = new ResizeObserver((changes) => changes.forEach(({ target }) => update(target)));
    boxes.forEach((box) => observer.observe(box));
    // A font that arrives makes a formula wider, and its box stays as it is.
    document.fonts.addEventListener("loadingdone", () => boxes.forEach(update));
    document.fonts.ready.then(() => boxes.forEach(update));
  });
})();
