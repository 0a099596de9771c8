// The page's contents follow the reader: the section that is read is marked, and in sight.
// The theme marks a section when its heading passes by; a jump, or a section longer than the
// window, has none.
(() => {
  const READ_AT = 0.3; // of the window's height, as in the theme

  const follow = (entries) => {
    const line = READ_AT * innerHeight;
    const passed = entries.filter(({ heading }) => heading.getBoundingClientRect().top <= line);
    const current = (passed.at(-1) ?? entries[0]).link;
    for (const { link } of entries) link.classList.toggle("active", link === current);
    const panel = current.closest(".bd-sidebar-secondary, dialog");
    const { top, bottom } = current.getBoundingClientRect();
    const frame = panel.getBoundingClientRect();
    if (top < frame.top || bottom > Math.min(frame.bottom, innerHeight)) {
      panel.scrollTop += (top + bottom) / 2 - (frame.top + Math.min(frame.bottom, innerHeight)) / 2;
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const entries = [...document.querySelectorAll(".bd-sidebar-secondary .toc-entry > a")]
      .map((link) => ({ link, heading: document.getElementById(decodeURIComponent(link.hash.slice(1))) }))
      .filter(({ heading }) => heading !== null);
    if (entries.length === 0) return;
    let waiting = false;
    const update = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        follow(entries);
      });
    };
    addEventListener("scroll", update, { passive: true });
    addEventListener("resize", update);
    update();
  });
})();
