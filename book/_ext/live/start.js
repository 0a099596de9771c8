// Loads box.js at the first click on a button that changes an equation. The folder is put in by the build.
document.documentElement.dataset.live = "";
document.addEventListener("click", (event) => {
  const button = event.target.closest(".live-button, .live-box:not([data-live]) button");
  if (!button) return;
  event.preventDefault();
  const site = new URL(document.documentElement.dataset.content_root, document.baseURI);
  import(new URL("_static/live/FOLDER/box.js", site)).then(
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
