"""The wheel: what is in it, and what it does outside the checkout with NumPy and tqdm alone."""

import email
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy
import pytest
import tqdm

ROOT = Path(__file__).parents[2]
SOURCES = ["pyproject.toml", "setup.py", "README.md", "LICENSE", "nndl_rnn", "texproof", "book"]
SITE, REPOSITORY = "https://example.org/rnn/", "https://example.org/owner/name"

RUN = """\
import importlib.util, sys
import nndl_rnn

assert not {"numpy", "tqdm"} & set(sys.modules), "import nndl_rnn loads nothing else"
import numpy as np

rng = np.random.default_rng(0)
params = nndl_rnn.lstm.init_params(rng, input_size=2, hidden_size=3)
x, y = rng.normal(size=(5, 4, 2)), rng.normal(size=(5, 4, 3))

def head(h):
    return nndl_rnn.losses.squared_error(h, y)

h, state, cache = nndl_rnn.lstm.forward(params, x)
value, d_h = head(h)
gradients, d_x, d_state = nndl_rnn.lstm.backward(cache, d_h)
result = nndl_rnn.bptt.full(nndl_rnn.lstm, params, x, head)
assert all(np.array_equal(result.d_params[name], gradients[name]) for name in params)

def loss(arrays):
    return head(nndl_rnn.lstm.forward(arrays, x)[0])[0]

assert nndl_rnn.gradcheck.check_gradient(loss, params, gradients).agrees

training = nndl_rnn.training
model, optimizer = training.SequenceModel(nndl_rnn.gru, 2, 4, 3), training.Adam(0.01)
start = training.start(model, optimizer, seed=0)
batches = training.minibatches(x, y, 2)
end = training.train(
    model, optimizer, batches, start, 2, loss=nndl_rnn.losses.squared_error, progress=False
)
assert end.updates == 4

for name in ("dask", "joblib", "lark", "matplotlib", "mpmath", "pooch", "sympy", "torch", "yaml"):
    assert importlib.util.find_spec(name) is None, name
for name in ("experiments", "nndl_rnn.experiments", "tests", "benchmarks"):
    assert importlib.util.find_spec(name) is None, name
print(nndl_rnn.__file__)
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of what a wheel is made from: making one writes beside its sources."""
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "_static", "*.md")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def build(sources, folder, **addresses):
    """Make a wheel without a network."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NNDL_RNN_")}
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet", "--wheel-dir", folder]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, sources], env=kept | addresses, check=True
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory):
    return build(sources, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """An environment with the wheel, NumPy and tqdm, and nothing else, not even pip."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    # The checkout, if it is in reach, is not what is wanted.
    options = ["--no-deps", "--no-index", "--ignore-installed", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", *options, wheel], check=True
    )
    (packages,) = folder.glob("lib/python*/site-packages")
    for package in (numpy, tqdm):
        origin = Path(package.__file__).parent
        for path in (origin, origin.with_name(f"{origin.name}.libs")):  # libraries of NumPy
            if path.exists():
                (packages / path.name).symlink_to(path)
    return python


def run(python, code):
    return subprocess.run(
        [python, "-I", "-c", code], cwd=python.parent, capture_output=True, text=True, check=False
    )


def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def test_networks_gradients_and_training_run_with_numpy_and_tqdm_alone(python):
    result = run(python, RUN)
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.strip()).is_relative_to(python.parents[2])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import texproof", 'texproof needs {}: pip install "nndl-rnn[texproof]"'),
        ("import texproof.read.syntax", 'texproof needs {}: pip install "nndl-rnn[texproof]"'),
        (
            "import nndl_rnn; nndl_rnn.figures.plotting",
            'nndl_rnn.figures.plotting needs matplotlib: pip install "nndl-rnn[figures]"',
        ),
        (
            "from nndl_rnn.figures import diagrams",
            'nndl_rnn.figures.diagrams needs matplotlib: pip install "nndl-rnn[figures]"',
        ),
        (
            "from nndl_rnn.peers import torch_reference",
            'nndl_rnn.peers.torch_reference needs torch: pip install "nndl-rnn[torch]"',
        ),
        (
            "import nndl_rnn; nndl_rnn.tasks.text.time_machine()",
            'nndl_rnn.tasks.text needs pooch: pip install "nndl-rnn[text]"',
        ),
    ],
)
def test_what_is_not_installed_is_asked_for_by_its_extra(python, code, message):
    last = run(python, code).stderr.strip().splitlines()[-1]
    assert any(
        last == f"ModuleNotFoundError: {message.format(name)}"
        for name in ("lark", "mpmath", "sympy", "yaml")
    )


@pytest.mark.parametrize("module", ["figures.interactive", "peers.converters", "tasks.text"])
def test_what_needs_no_extra_works_without(python, module):
    result = run(python, f"import nndl_rnn; print(nndl_rnn.{module}.__name__)")
    assert result.stdout == f"nndl_rnn.{module}\n", result.stderr


def test_the_wheel_holds_two_packages_and_what_they_read(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    roots = {name.partition("/")[0] for name in names}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"nndl_rnn", "texproof"}
    for name in ("nndl_rnn/py.typed", "texproof/py.typed", "texproof/read/grammar.lark"):
        assert name in names
    assert not [name for name in names if "experiments" in name]


def test_the_wheel_asks_for_numpy_and_tqdm_and_for_the_rest_by_extra(wheel):
    needs = metadata(wheel).get_all("Requires-Dist")
    always = {need.partition(">=")[0] for need in needs if "extra ==" not in need}
    assert always == {"numpy", "tqdm"}
    extras = metadata(wheel).get_all("Provides-Extra")
    assert sorted(extras) == ["book", "experiments", "figures", "texproof", "text", "torch"]


def test_the_wheel_names_addresses_where_they_are_known_and_none_elsewhere(
    sources, wheel, tmp_path
):
    assert metadata(wheel).get_all("Project-URL") is None
    addresses = {"NNDL_RNN_SITE_URL": SITE, "NNDL_RNN_REPOSITORY": REPOSITORY}
    published = build(sources, tmp_path, **addresses)
    assert metadata(published).get_all("Project-URL") == [
        f"Documentation, {SITE}",
        f"Source, {REPOSITORY}",
        f"Changelog, {REPOSITORY}/blob/main/CHANGELOG.md",
    ]
