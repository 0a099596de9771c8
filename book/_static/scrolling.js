// A box that scrolls sideways takes the keyboard's focus, so that the arrow keys can scroll it.
(() => {
  const boxes = () => document.querySelectorAll(".equation, .ledger-box");
  const update = () => {
    for (const box of boxes()) {
      if (box.scrollWidth > box.clientWidth + 1) {
        box.tabIndex = 0;
      } else {
        box.removeAttribute("tabindex");
      }
    }
  };
  document.addEventListener("DOMContentLoaded", update);
  document.addEventListener("toggle", update, true);
  window.addEventListener("resize", update);
})();
