"""Comparing two builds of the book, and building without a network."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.loading import load

ROOT = Path(__file__).parents[2]


reproduce = load("tools/reproduce.py")


def site(folder: Path, **pages: bytes) -> Path:
    for name, content in pages.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_equal_sites_do_not_differ(tmp_path: Path) -> None:
    pages = {"index": b"one", "_static__figure": b"\x89PNG\xff"}
    assert not list(
        reproduce.differences(site(tmp_path / "a", **pages), site(tmp_path / "b", **pages))
    )


def test_each_kind_of_difference_is_named(tmp_path: Path) -> None:
    first = site(tmp_path / "a", index=b"drawn at 0x7f01", gone=b"", deep__same=b"x")
    second = site(tmp_path / "b", index=b"drawn at 0x7f02", deep__new=b"", deep__same=b"x")
    assert list(reproduce.differences(first, second)) == [
        "deep/new: only the second build has it",
        "gone: only the first build has it",
        "index: at byte 14: 'drawn at 0x7f01' | 'drawn at 0x7f02'",
    ]


def test_a_site_that_only_grew_differs(tmp_path: Path) -> None:
    first, second = site(tmp_path / "a", index=b"page"), site(tmp_path / "b", index=b"page\n")
    assert list(reproduce.differences(first, second)) == [r"index: at byte 4: 'page' | 'page\n'"]


PAGE = """<p>prose {prose}</p><div class="cell{tag} docutils container">
<div class="cell_input">code</div><div class="cell_output docutils container">{output}
<source srcset="_images/{image}-narrow.svg"><img src="_images/{image}.svg"></div></div>"""


def measuring_site(
    folder: Path,
    *,
    prose: str = "1",
    tag: str = " tag_measured",
    output: str = "12 seconds",
    image: str = "a",
    index: bytes = b"",
) -> Path:
    page = PAGE.format(prose=prose, tag=tag, output=output, image=image)
    return site(
        folder,
        **{
            "bptt.html": page.encode(),
            "search_index.js": index,
            f"_images__{image}.svg": image.encode(),
            f"_images__{image}-narrow.svg": image.encode(),
            ".buildinfo": folder.name.encode(),
        },
    )


def test_measured_outputs_may_differ(tmp_path: Path) -> None:
    first = measuring_site(tmp_path / "a")
    second = measuring_site(tmp_path / "b", output="13 seconds", image="b")
    assert not list(reproduce.differences(first, second))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"prose": "2"}, ["bptt.html"]),
        ({"tag": " tag_measured tag_remove"}, ["bptt.html"]),
        ({"index": b"13 seconds"}, ["search_index.js"]),
    ],
)
def test_beside_measured_outputs_nothing_may_differ(
    tmp_path: Path, changed: dict[str, str], named: list[str]
) -> None:
    first, second = measuring_site(tmp_path / "a"), measuring_site(tmp_path / "b", **changed)
    assert [line.partition(":")[0] for line in reproduce.differences(first, second)] == named


def test_outputs_of_other_cells_may_not_differ(tmp_path: Path) -> None:
    first = measuring_site(tmp_path / "a", tag="")
    second = measuring_site(tmp_path / "b", tag="", output="13 seconds", image="b")
    assert [line.partition(":")[0] for line in reproduce.differences(first, second)] == [
        "_images/a-narrow.svg",
        "_images/a.svg",
        "_images/b-narrow.svg",
        "_images/b.svg",
        "bptt.html",
    ]


def test_nothing_built_is_not_taken_for_equal(tmp_path: Path) -> None:
    full = site(tmp_path / "a", index=b"page")
    (tmp_path / "b").mkdir()
    for first, second in (full, tmp_path / "b"), (tmp_path / "b", full):
        with pytest.raises(ValueError, match=r"no built site in .*b"):
            list(reproduce.differences(first, second))


def test_sources_are_copied_and_what_was_built_is_not(tmp_path: Path) -> None:
    project = site(tmp_path / "project", tracked=b"1", deep__new=b"2", built=b"3", removed=b"4")
    (project / ".gitignore").write_text("built\n")
    for command in ["init", "-q"], ["add", "tracked", "removed"]:
        subprocess.run(["git", *command], cwd=project, check=True)
    (project / "removed").unlink()
    reproduce.copy_sources(project, tmp_path / "copy")
    assert set(reproduce.files_below(tmp_path / "copy")) == {".gitignore", "deep/new", "tracked"}
    assert (tmp_path / "copy/tracked").stat().st_mtime == (project / "tracked").stat().st_mtime


def test_a_command_without_network_reaches_itself_and_no_other_machine() -> None:
    prefix = reproduce.without_network()
    if prefix is None:  # right only where the plainest way is refused as well
        plain = ["unshare", "--map-root-user", "--net", "true"]
        assert not shutil.which("unshare") or subprocess.run(plain).returncode != 0
        return
    interfaces = subprocess.run(
        [*prefix, "ip", "-brief", "address"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert [line.split()[0] for line in interfaces if "/" in line] == ["lo"]
    assert "127.0.0.1" in "".join(interfaces)
