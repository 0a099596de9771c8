// A link to an equation, a figure, a term or a citation shows it, when the link is pointed at or has
// the keyboard's focus. Nothing is loaded before, and nothing from elsewhere: see previews.py.
(() => {
  const LINKS = "main a.reference.internal[href*='#']";
  const SHOWN = "div.math, figure, dt, div.citation";
  const OPENS_AFTER = 250; // milliseconds
  const CLOSES_AFTER = 200;
  let box = null;
  let wanted = null; // the link whose preview is open, or on its way
  let timer = 0;
  let scriptLoaded = null;

  const loadScript = () => {
    scriptLoaded ??= new Promise((resolve) => {
      const script = document.createElement("script");
      const page = location.pathname.split("/").pop().replace(/\.html$/, "") || "index";
      script.src = `${document.documentElement.dataset.content_root}_static/previews/${page}.js`;
      script.onload = script.onerror = () => resolve(window.previews ?? {});
      document.head.append(script);
    });
    return scriptLoaded;
  };

  // What the link leads to, as HTML; nothing if it is a section, or in sight already.
  const target = async (link) => {
    const address = link.getAttribute("href");
    if (!address.startsWith("#")) return (await loadScript())[address] ?? "";
    const found = document.getElementById(decodeURIComponent(address.slice(1)));
    if (!found?.matches(SHOWN)) return "";
    const { top, bottom } = found.getBoundingClientRect();
    if (top >= 0 && bottom <= innerHeight) return "";
    if (found.tagName !== "DT") return found.outerHTML;
    return found.outerHTML + (found.parentElement.querySelector(`#${CSS.escape(found.id)} ~ dd`)?.outerHTML ?? "");
  };

  const close = () => {
    clearTimeout(timer);
    box?.remove();
    box = wanted = null;
  };

  const open = async (link) => {
    close();
    wanted = link;
    const html = await target(link);
    if (!html || wanted !== link) return;
    box = document.createElement("div");
    box.className = "preview bd-article";
    box.setAttribute("role", "tooltip");
    box.innerHTML = html;
    for (const part of box.querySelectorAll("[id], .headerlink, .equation-mark")) {
      if (part.matches(".headerlink, .equation-mark")) part.remove();
      else part.removeAttribute("id");
    }
    document.body.append(box);
    const { left, top, bottom } = link.getBoundingClientRect();
    const below = bottom + box.offsetHeight < innerHeight || top < box.offsetHeight;
    box.style.left = `${scrollX + Math.max(8, Math.min(left, innerWidth - box.offsetWidth - 24))}px`;
    box.style.top = `${scrollY + (below ? bottom + 4 : top - box.offsetHeight - 4)}px`;
    box.addEventListener("pointerenter", () => clearTimeout(timer));
    box.addEventListener("pointerleave", later(close, CLOSES_AFTER));
  };

  const later = (action, after) => () => {
    clearTimeout(timer);
    timer = setTimeout(action, after);
  };

  document.addEventListener("DOMContentLoaded", () => {
    const canHover = matchMedia("(hover: hover)").matches;
    for (const link of document.querySelectorAll(LINKS)) {
      if (canHover) {
        link.addEventListener("pointerenter", later(() => open(link), OPENS_AFTER));
        link.addEventListener("pointerleave", later(close, CLOSES_AFTER));
      }
      link.addEventListener("focus", () => link.matches(":focus-visible") && open(link));
      link.addEventListener("blur", close);
      link.addEventListener("click", close);
    }
    addEventListener("keydown", (event) => event.key === "Escape" && close());
  });
})();
