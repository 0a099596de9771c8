"""Who imports whom within a package, and whether imports go one way."""

import ast
from pathlib import Path


def imports_within(package):
    """Map the name of each module of a package to the modules of it that it imports at its top."""
    root = Path(package.__file__).parent
    files = {name_of(path, root): path for path in sorted(root.rglob("*.py"))}
    return {name: set(within(package, path, files)) for name, path in files.items()}


def name_of(path, root):
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(package, path, files):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                yield from {module if module in files else node.module} & files.keys()
        elif isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & files.keys()


def circle(reads):
    """Return the modules that import each other in a circle, or stand above one; none if none."""
    reads = dict(reads)
    while free := [name for name, others in reads.items() if not others & reads.keys()]:
        for name in free:
            del reads[name]
    return sorted(reads)
