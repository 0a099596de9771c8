// Loads box.js at the first click on a button that changes an equation, and notes.js where its form is. The folder is
// put in by the build.
document.documentElement.dataset.live = "";
const liveScript = (name) =>
  import(new URL(`_static/live/FOLDER/${name}.js`, new URL(document.documentElement.dataset.content_root, document.baseURI)));
document.addEventListener("DOMContentLoaded", () => {
  if (document.querySelector(".live-notes") && location.protocol !== "file:") liveScript("notes");
});
document.addEventListener("click", (event) => {
  const button = event.target.closest(".live-button, .live-box:not([data-live]) button");
  if (!button) return;
  event.preventDefault();
  liveScript("box").then(
    (box) => box.start(button),
    () => {
      const line = document.createElement("p");
      line.className = "live-refused";
      line.setAttribute("role", "status");
      line.textContent = location.protocol === "file:"
        ? "Changing equations works on the website only: browsers forbid it in pages opened from a folder."
        : "The checker could not be loaded. Reload the page and try again.";
      document.querySelector(".live-refused")?.remove();
      (button.closest(".live-box") ?? button.closest(".checked-equation")).after(line);
    },
  );
});
