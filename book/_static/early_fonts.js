// The fonts that KaTeX's stylesheet and icons.css contain are made ready before the first formula
// is painted, not after it, so that nothing moves.
for (const face of document.fonts) {
  const regular = face.weight === "400" || face.weight === "normal";
  const style = face.family === "KaTeX_Math" ? "italic" : "normal";
  if (/^KaTeX_(Main|Math|Size\d)$/.test(face.family) && regular && face.style === style) {
    face.load();
  }
}
