// A box that scrolls sideways takes the keyboard's focus, so that the arrow keys can scroll it, and
// says by a class whether more stands to the right.
(() => {
  const update = (box) => {
    const hidden = box.scrollWidth - box.clientWidth;
    if (hidden > 1) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute("tabindex");
    }
    box.classList.toggle("goes-on", hidden - box.scrollLeft > 1);
  };
  document.addEventListener("DOMContentLoaded", () => {
    const boxes = document.querySelectorAll(".equation, .ledger-box");
    // A window made narrower, a dropdown opened: the box gets another size.
    const observer = new ResizeObserver((changes) => changes.forEach(({ target }) => update(target)));
    boxes.forEach((box) => {
      observer.observe(box);
      box.addEventListener("scroll", () => update(box), { passive: true });
    });
    // A font that arrives makes a formula wider, and its box stays as it is.
    document.fonts.addEventListener("loadingdone", () => boxes.forEach(update));
    document.fonts.ready.then(() => boxes.forEach(update));
  });
})();
