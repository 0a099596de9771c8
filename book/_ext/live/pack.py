"""Run by Pyodide when the site is built: use the checker once, then pack all modules that it imported.

Modules are packed as bytecode of this Python, with fixed dates, so that two builds give the same
bytes. The value of the last expression is what ``pack.mjs`` writes: contents by file name.
"""

# ruff: noqa: F821
import ast
import importlib
import importlib.util
import io
import json
import marshal
import sys
import zipfile
from pathlib import Path

sys.dont_write_bytecode = True
for package in ("numpy", "sympy", "torch", "gmpy2"):
    sys.modules[package] = None  # not packed, whatever lies in the roots
sys.path[:0] = roots

SHAPES = (
    r"x_t \in \mathbb{R}^{m}, \quad h_t \in \mathbb{R}^{n}, \quad W \in \mathbb{R}^{n \times m}"
)
FORWARD = r"h_t = \tanh(W x_t) \odot \phi(h_{t-1}), \quad L = \sum_{t=1}^{T} \ell(h_t)"
CLAIM = r"\frac{\partial h_T}{\partial x_T} = \operatorname{diag}((1 - \tanh^2(W x_T)) \odot \phi(h_{T-1})) W"
PROOF = {"by": "rewriting", "steps": [[["forward", "h_{t}", "x_{t}", "+0"]]]}
SAMPLE = {
    "proofs": {"eq-c": [[[[0, PROOF]]]]},
    "sources": {
        label: {"text": text, "label": label}
        for label, text in (("eq-s", SHAPES), ("eq-f", FORWARD), ("eq-c", CLAIM))
    },
    "recipes": [
        {
            "last": 3,
            "indices": "t k j",
            "sizes": {"m": 2, "n": 3},
            "steps": [
                ["declared", "eq-s"],
                ["function", r"\ell"],
                ["activation", r"\phi"],
                ["defined", "eq-f"],
                ["verified", "eq-c"],
            ],
        }
    ],
}
# What Pyodide imports when it starts, or for an error, and what the worker unpacks the checker with.
STARTING = [
    "encodings.idna",
    "encodings.latin_1",
    "encodings.ascii",
    "encodings.cp437",
    "traceback",
    "linecache",
    "tokenize",
    "importlib.resources",
    "shutil",
    "tempfile",
    "sysconfig",
    "pyodide.webloop",
    "pyodide.http",
    "pyodide.http.pyxhr",
    "_pyodide._future_helper",
    "asyncio",
    "zipfile",
    "json",
    "difflib",
    "string.templatelib",
    "__future__",
    "_sysconfigdata__emscripten_wasm32-emscripten",
]


def use_it():
    worker = importlib.import_module("live_worker")
    worker.add_page("page", json.dumps(SAMPLE), "{}")
    for text, verdict in (
        (CLAIM, "verified"),
        (CLAIM.replace("-", "+"), "refuted"),
        ("a =", "unreadable"),
    ):
        answer = json.loads(worker.check("page", "eq-c", 0, text))
        if answer["verdict"] != verdict:
            raise AssertionError(f"expected {verdict}, got {answer}")
        worker.repair("page", "eq-c", 0, text, "null", 300)
    if worker.prove("page", "eq-c", CLAIM) != '{"proved": true}':
        raise AssertionError("the kernel does not follow a proof")
    worker.check("page", "eq-c", 1, CLAIM)
    worker.mistake("page", "eq-c", 1)
    worker.read("page")
    for text in (FORWARD, "a ="):
        worker.next_claim("page", "eq-f", text, True)


def bytecode(source, name):
    """A compiled module; docstrings stay only where Pyodide may read them, and no texts that are docstrings later."""
    keep = name.startswith(("pyodide", "_pyodide"))
    tree = ast.parse(source)
    for node in ast.walk(tree) if name == "mpmath/function_docs.py" else ():
        if isinstance(node, ast.Constant):
            node.value = ""
    code = compile(tree, name, "exec", dont_inherit=True, optimize=0 if keep else 2)
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


def archive(files):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in sorted(files.items()):
            information = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            information.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(information, content)
    return memory.getvalue()


def imported():
    """The files of imported modules: those of the standard library, and those below the roots."""
    library, own = {}, {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if ".zip/" in file and file.endswith(".py"):
            where, name = file.split(".zip/")
            with zipfile.ZipFile(f"{where}.zip") as whole:
                library[f"{name}c"] = bytecode(whole.read(name), name)
        for root in sorted(roots, key=len, reverse=True):
            if file.startswith(f"{root}/") and file.endswith(".py"):
                name = file[len(root) + 1 :]
                own[f"{name}c"] = bytecode(Path(file).read_bytes(), name)
                for grammar in Path(file).parent.glob("*.lark"):
                    own[str(grammar.relative_to(root))] = grammar.read_bytes()
                break
    return library, own


use_it()
for name in STARTING:
    importlib.import_module(name)
library, own = imported()
{"stdlib.zip": archive(library), "checker.zip": archive(own)}
