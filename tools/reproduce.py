"""Build the book a second time, in another folder and without a network, and compare the pages.

``make reproduce`` runs this after ``make book``. The second build executes every chapter anew, with
the packages that are already installed, in a Linux network namespace that has nothing but loopback.
Two builds of the same sources must give the same bytes, except for:

- what cells with the tag ``measured`` print and draw: seconds and bytes of memory, which are the
  machine's and not the book's;
- ``.buildinfo``: a hash of Sphinx's settings, among them the name of the folder.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup

MEASURED = ".cell.tag_measured .cell_output"
NOT_COMPARED = {".buildinfo"}

LOOPBACK = 'ip link set lo up && exec "$@"'
AS_BEFORE = 'ip link set lo up && exec setpriv --reuid="$0" --regid="$1" --init-groups "${@:2}"'


def files_below(folder: Path) -> dict[str, Path]:
    """All files of a folder and its subfolders, keyed by their paths relative to it."""
    return {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }


def first_difference(first: bytes, second: bytes, width: int = 60) -> str:
    """Both texts around the first byte in which they differ.

    >>> first_difference(b"one two", b"one three", width=2)
    "at byte 5: ' two' | ' three'"
    """
    pairs = enumerate(zip(first, second, strict=False))
    common = next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))
    start = max(common - width, 0)
    here, there = (
        text[start : common + 2 * width].decode(errors="replace") for text in (first, second)
    )
    return f"at byte {common}: {here!r} | {there!r}"


def measured_images(site: Path) -> set[str]:
    """The images that the measuring cells of a site have drawn."""
    pages = (BeautifulSoup(page.read_bytes(), "html.parser") for page in site.glob("*.html"))
    images = f"{MEASURED} :is(img[src], source[srcset])"
    return {
        str(image.get("src", image.get("srcset")))
        for page in pages
        for image in page.select(images)
    }


def lasting_page(content: bytes) -> str:
    """A page without the outputs of its measuring cells."""
    soup = BeautifulSoup(content, "html.parser")
    for output in soup.select(MEASURED):
        output.clear()
    return str(soup)


def differences(first: Path, second: Path) -> Iterator[str]:
    """Name what two builds do not share, except for what may differ: files, parts of files.

    Raises:
        ValueError: If a folder holds no file, since then nothing would be compared.
    """
    left, right = files_below(first), files_below(second)
    for folder, files in (first, left), (second, right):
        if not files:
            raise ValueError(f"there is no built site in {folder}")
    drawn = measured_images(first) | measured_images(second)
    for name in sorted((left.keys() | right.keys()) - NOT_COMPARED - drawn):
        if name not in right:
            yield f"{name}: only the first build has it"
        elif name not in left:
            yield f"{name}: only the second build has it"
        elif (here := left[name].read_bytes()) != (there := right[name].read_bytes()):
            if name.endswith(".html"):
                here, there = (lasting_page(content).encode() for content in (here, there))
            if here != there:
                yield f"{name}: {first_difference(here, there)}"


def copy_sources(project: Path, to: Path) -> None:
    """Copy what git tracks, and new files that it does not ignore, with their times."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (project / name).exists():  # it may be deleted, but not yet in git
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project / name, to / name, follow_symlinks=False)


def without_network() -> list[str] | None:
    """What to write before a command so that it reaches no other machine; None if nothing works.

    Kernels talk through loopback, so that is up. An ordinary user may need ``sudo`` for it.
    """
    user = [str(os.getuid()), str(os.getgid())]
    namespaces = [
        ["unshare", "--net", "bash", "-c", LOOPBACK, "-"],
        ["unshare", "--map-root-user", "--net", "bash", "-c", LOOPBACK, "-"],
        ["sudo", "-n", "-E", "unshare", "--net", "bash", "-c", AS_BEFORE, *user],
    ]
    for namespace in namespaces:
        if not shutil.which(namespace[0]):
            continue
        if subprocess.run([*namespace, "true"], capture_output=True).returncode == 0:
            return namespace
    return None


def build_again(project: Path, environment: Path, to: Path, prefix: list[str]) -> None:
    """Build the book from a copy of its sources, with the installed packages."""
    copy_sources(project, to)
    installed = environment / ".installed"
    make = ["make", "--no-print-directory", f"VENV={environment}", f"--old-file={installed}"]
    # The copy's own package comes before the installed one, which lies in the first folder.
    variables = os.environ | {"PYTHONPATH": str(to)}
    subprocess.run([*prefix, *make, "book"], cwd=to, env=variables, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path, help="the pages of the first build")
    parser.add_argument("--environment", type=Path, default=Path(sys.prefix))
    arguments = parser.parse_args()
    project = Path(__file__).resolve().parents[1]
    prefix = without_network()
    if prefix is None:
        print("This system cannot cut off the network for one command: built with it.")
    with tempfile.TemporaryDirectory(prefix="second-build-") as folder:
        second = Path(folder).resolve()
        environment = Path(os.path.abspath(arguments.environment))
        build_again(project, environment, second, prefix or [])
        found = list(differences(arguments.site, second / "_build" / "html"))
    for line in found:
        print(line)
    if found:
        sys.exit(f"{len(found)} files differ between two builds of the same sources.")
    compared = len(files_below(arguments.site))
    print(f"All {compared} files are the same in two builds, the second without a network.")


if __name__ == "__main__":
    main()
