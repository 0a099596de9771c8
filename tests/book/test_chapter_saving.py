"""What ``make lab`` writes into a chapter when it is saved."""

from pathlib import Path
from types import SimpleNamespace

import jupytext
import pytest
from jupytext.config import load_jupytext_config

from tools import chapter_saving

BOOK = Path(__file__).parents[2] / "book"
CHAPTERS = sorted(
    path for path in BOOK.glob("*.md") if "\nkernelspec:\n" in path.read_text("utf-8")
)


def as_jupytext_writes(chapter: Path, edit: tuple[str, str] = ("", "")) -> str:
    """A chapter as JupyterLab would save it, after an edit of its code cells."""
    notebook = jupytext.reads(chapter.read_text("utf-8"), fmt="md:myst")
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    for cell in notebook.cells:
        if cell.cell_type == "code" and edit[0]:
            cell.source = cell.source.replace(*edit)
    return str(jupytext.writes(notebook, fmt="md:myst", config=load_jupytext_config(str(chapter))))


def save(path: Path, text: str) -> str:
    model = {"type": "file", "format": "text", "content": text}
    manager = SimpleNamespace(root_dir=str(path.parent))
    chapter_saving.keep_unchanged_cells(model, path.name, manager)
    return model["content"]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_that_nobody_edited_stays_as_it_was(chapter: Path) -> None:
    assert save(chapter, as_jupytext_writes(chapter)) == chapter.read_text("utf-8")


def test_an_edit_is_kept_and_changes_nothing_else() -> None:
    edit = ("from texproof import Derivation", "import texproof as edited")
    chapter = BOOK / "lstm.md"
    before = chapter.read_text("utf-8")
    assert before.count(edit[0]) == 1
    assert save(chapter, as_jupytext_writes(chapter, edit)) == before.replace(*edit)


def test_new_files_and_other_kinds_are_left_alone(tmp_path: Path) -> None:
    assert save(tmp_path / "new.md", "new\n") == "new\n"
    assert save(Path(__file__), "other\n") == "other\n"
