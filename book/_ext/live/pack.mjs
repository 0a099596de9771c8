// Packs the checker for web pages: what it imports, compiled by the very Python that will run it.
// usage: node pack.mjs PYODIDE OUT ROOT...; the roots are folders with Python packages and modules.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const [pyodide, out, ...roots] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: `${pyodide}/`, stdout: (line) => console.error(line) });
for (const root of roots) {
  python.FS.mkdirTree(root);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, root);
}
python.globals.set("roots", python.toPy(roots));
const archives = python.runPython(readFileSync(new URL("pack.py", import.meta.url), "utf8")).toJs();

mkdirSync(out, { recursive: true });
for (const [name, content] of Object.entries(archives)) writeFileSync(`${out}/${name}`, content);
for (const name of ["pyodide.mjs", "pyodide.asm.mjs"]) copyFileSync(`${pyodide}/${name}`, `${out}/${name}`);
// None of the packages that Pyodide offers is used.
const { info } = JSON.parse(readFileSync(`${pyodide}/pyodide-lock.json`, "utf8"));
writeFileSync(`${out}/pyodide-lock.json`, JSON.stringify({ info, packages: {} }));
const compressed = gzipSync(readFileSync(`${pyodide}/pyodide.asm.wasm`), { level: 9 });
writeFileSync(`${out}/pyodide.asm.wasm.gz`, compressed);
