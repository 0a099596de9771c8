"""Programs as people write them: right ones in many styles, and those that cannot be checked."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import nndl_rnn
from nndl_rnn import bptt, diagnose, lstm, rnn
from nndl_rnn.peers.layouts import from_gates, layout
from tests.nndl_rnn.diagnose.programs import MODULES, NETWORKS, of_package, with_mistakes


def in_layout(architecture, own, dtype=np.float64, prefix="", **options):
    """The package's backward pass, as a program that keeps its arrays in another layout."""
    inner = of_package(architecture, **options)

    def backward(params, x, state, d_h):
        book = {name: array.astype(dtype) for name, array in own.unpack(params).items()}
        arrays = [own.sequence_in(array).astype(dtype) for array in (x, *state, d_h)]
        found = inner(book, arrays[0], tuple(arrays[1:-1]), arrays[-1])
        packed = own.pack({name: found[name] for name in book if name in found})
        outer = {n: own.sequence_out(found[n]) for n in ("x", "h_0", "c_0") if n in found}
        return {prefix + name: array for name, array in (packed | outer).items()}

    return backward


STYLES = {
    "one matrix for each gate": {},
    "joined [h; x]": {"names": ("W{}", "b{}"), "joined": "hx"},
    "joined [x; h], transposed": {"names": ("W{}", "b{}"), "joined": "xh", "transposed": True},
    "columns": {"names": ("W{}", "U{}", "b{}"), "columns": True, "axes": "TDB"},
    "batch first": {"axes": "BTD", "transposed": True},
    "stacked": {"stacked": True, "names": ("Wx", "Wh", "b"), "transposed": True},
    "stacked in another order, joined": {
        "stacked": True, "joined": "xh", "names": ("W", "b"), "order": "reverse",
    },
    "two biases": {"stacked": True, "names": ("w_ih", "w_hh", "b_ih", "b_hh")},
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("architecture", "form"), NETWORKS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_right_program_agrees_in_every_style(style, architecture, form, dtype):
    given = dict(STYLES[style])
    gates = MODULES[architecture].GATES
    if given.get("order"):
        given["order"] = gates[::-1]
    own = layout(architecture, **given)
    form = dict(form)
    if form.get("reset") == "after" and not any("beta_h" in str(v) for v in own.blocks.values()):
        form["reset"] = "before"  # the layout has one bias
    backward = in_layout(architecture, own, dtype, **form)
    found = diagnose(architecture, backward, layout=own, **form)
    assert found, str(found)
    assert found.exit_status == 0
    assert not found.wrong
    assert not any("forward pass" in note for note in found.notes)
    assert any("float32" in note for note in found.notes) == (dtype == np.float32)


@pytest.mark.parametrize(("architecture", "form"), NETWORKS)
def test_the_default_layout_agrees_and_says_nothing(architecture, form):
    found = diagnose(architecture, of_package(architecture, **form), **form)
    assert found
    assert found.notes == ()
    assert str(found).startswith(f"{architecture}: agrees, in all")


def test_a_mistake_in_another_layout_is_named():
    own = layout("lstm", names=("W{}", "b{}"), joined="hx", letters="ifco", axes="BTD")
    inner = with_mistakes("lstm", ["no_carry"])

    def backward(params, x, state, d_h):
        arrays = [own.sequence_in(array) for array in (x, *state, d_h)]
        return own.pack(inner(own.unpack(params), arrays[0], tuple(arrays[1:3]), arrays[3]))

    found = diagnose("lstm", backward, layout=own)
    assert found.names == ("no_carry",)
    assert found.findings[0].equation == "eq-lstm-cell-grad"


def test_other_networks_are_recognised():
    def forget_one(p, x, state, d_h):
        return of_package("lstm")(p | {"b_f": p["b_f"] + 1}, x, state, d_h)

    assert "1 is added to b_f" in str(diagnose("lstm", forget_one))
    assert diagnose("lstm", forget_one)
    for update in ("keep", "write"):
        other = "write" if update == "keep" else "keep"
        found = diagnose("gru", of_package("gru", reset="before", update=other), reset="before",
                         update=update)  # fmt: skip
        assert found
        assert f"update='{other}'" in str(found)

    def swapped(p, x, state, d_h):
        roles = {"i": "f", "f": "i", "g": "g", "o": "o"}
        role = {f"{s}_{g}": f"{s}_{roles[g]}" for s in "WUb" for g in "ifgo"}
        found = of_package("lstm")({role[n]: a for n, a in p.items()}, x, state, d_h)
        return {n: found[role[n]] for n in p}

    assert "i as f, f as i" in str(diagnose("lstm", swapped))


def hidden(p, x, state):
    return lstm.forward(from_gates("lstm", p), x, state)[0]


def test_the_forward_pass_comes_first():
    inner = of_package("lstm")
    assert diagnose("lstm", inner, forward=hidden)
    found = diagnose("lstm", inner, forward=lambda p, x, s: hidden(p, x, s) ** 2)
    assert found.verdict == "check"
    assert "differs from t = 1 on" in str(found)

    def transposed(p):
        return {n: a.T.copy() if n[0] == "U" else a for n, a in p.items()}

    def backward(p, x, state, d_h):
        found = with_mistakes("lstm", ["no_carry"])(transposed(p), x, state, d_h)
        return {n: a.T if n[0] == "U" else a for n, a in found.items()}

    found = diagnose("lstm", backward, forward=lambda p, x, s: hidden(transposed(p), x, s))
    assert found.names == ("no_carry",)
    assert "recurrent matrices are used transposed" in str(found)


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_truncation_is_named(steps):
    def backward(p, x, state, d_h):
        found = bptt.windowed(rnn, from_gates("rnn", p), x, d_h, state, tau=steps).d_params
        return {"W": found["weight_ih"], "U": found["weight_hh"], "b": found["bias_ih"]}

    found = diagnose("rnn", backward)
    if steps == 1:
        assert found.names == ("dh_not_carried",)  # the same thing
    else:
        assert found.names == ("truncated",)
        assert f"over {steps} steps" in str(found)


def test_chunks_are_named():
    def backward(p, x, state, d_h):
        found = bptt.chunked(rnn, from_gates("rnn", p), x, d_h, state, k1=3, k2=3).d_params
        return {"W": found["weight_ih"], "U": found["weight_hh"], "b": found["bias_ih"]}

    assert "k1 = 3 steps, whose losses go back over k2 = 3" in str(diagnose("rnn", backward))


def test_programs_that_cannot_be_checked():
    rng, calls = np.random.default_rng(0), []

    def random(p, x, state, d_h):
        return {n: a * rng.random() for n, a in of_package("rnn")(p, x, state, d_h).items()}

    def stateful(p, x, state, d_h):
        calls.append(1)
        return {n: a * len(calls) for n, a in of_package("rnn")(p, x, state, d_h).items()}

    for backward in (random, stateful):
        found = diagnose("rnn", backward)
        assert (found.verdict, found.exit_status) == ("check", 2)
        assert "called again" in str(found)

    def breaks(p, x, state, d_h):
        return np.zeros(17) @ x

    assert "backward raised ValueError" in str(diagnose("rnn", breaks))

    def not_finite(p, x, state, d_h):
        return {"W": np.full_like(p["W"], np.nan)}

    assert "not all gradients are finite" in str(diagnose("rnn", not_finite))


def test_writing_into_arguments_and_clipping_are_told_and_do_no_harm():
    def writes(p, x, state, d_h):
        found = of_package("rnn")(p, x, state, d_h)
        d_h[:-1] += 1
        return found

    found = diagnose("rnn", writes)
    assert found
    assert "writes into its argument d_h" in str(found)

    def clipped(names):
        inner = with_mistakes("lstm", names)
        return lambda *given: {n: np.clip(a, -0.5, 0.5) for n, a in inner(*given).items()}

    assert "clipped at 0.5" in str(diagnose("lstm", clipped([])))
    assert diagnose("lstm", clipped([]))
    assert diagnose("lstm", clipped(["no_carry"])).names == ("no_carry",)


def test_sizes_and_some_gradients_alone():
    inner = with_mistakes("lstm", ["df_c_now"])

    def fixed(p, x, state, d_h):
        assert (*x.shape, d_h.shape[2]) == (6, 1, 8, 5)
        found = inner(p, x, state, d_h)
        return {f"d{name}": found[name] for name in ("W_f", "U_f", "b_f")}

    found = diagnose("lstm", fixed, sizes=(6, 1, 8, 5))
    assert found.names == ("df_c_now",)
    assert found.wrong == ("U_f", "W_f", "b_f")


def test_a_program_whose_loss_is_at_the_last_step():
    def with_last(names):
        inner = with_mistakes("lstm", names)

        def backward(p, x, state, d_h):
            return inner(p, x, state, np.concatenate([np.zeros_like(d_h[:-1]), d_h[-1:]]))

        return backward

    assert diagnose("lstm", with_last([])).names == ("own_lost",)
    assert diagnose("lstm", with_last([]), last_step=True)
    for name in ("no_carry", "U_transposed", "h_now", "b_io_copy_f"):
        assert diagnose("lstm", with_last([name]), last_step=True).names == (name,)


def test_wrong_names_and_shapes_are_refused():
    def named(p, x, state, d_h):
        return {"Wi": p["W_i"]}

    with pytest.raises(
        ValueError, match=r"backward: expected gradients named .*did you mean 'W_i'"
    ):
        diagnose("lstm", named)

    def transposed(p, x, state, d_h):
        return {"W_i": p["W_i"].T}

    with pytest.raises(ValueError, match=r"W_i of shape .* it looks transposed"):
        diagnose("lstm", transposed)


def test_one_point_is_enough_and_what_it_hides_is_told():
    rng = np.random.default_rng(1)
    params = rnn.split_gates(rnn.init_params(rng, 3, 4))
    x, d_h, state = rng.normal(size=(1, 2, 3)), rng.normal(size=(1, 2, 4)), (np.zeros((2, 4)),)
    right = of_package("rnn")(params, x, state, d_h)
    found = diagnose.at_point("rnn", {n: right[n] for n in "WUb"}, params, x, state, d_h)
    assert found
    assert "would not show at this point: " in str(found)
    for name in ("dh_not_carried", "U_transposed", "h0_zero"):
        assert name in found.notes[-1]
    assert "slope_twice" not in found.notes[-1]


FILE = """
import numpy as np

ARCHITECTURE = "rnn"

def backward(p, x, state, d_h):
    h = [state[0]]
    for x_t in x:
        h.append(np.tanh(x_t @ p["W"].T + h[-1] @ p["U"].T + p["b"]))
    d = {name: np.zeros_like(array) for name, array in p.items()}
    back = 0
    for t in reversed(range(len(x))):
        a = (d_h[t] + back) * (1 - h[t + 1] ** 2)
        d["W"] += a.T @ x[t]
        d["U"] += a.T @ h[t]
        d["b"] += a.sum(0)
        back = a @ p["U"]
    return d
"""


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("", "", 0),
        ("a @ p", "0 * a @ p", 1),
        ("d_h[t] +", "d_h[t] * np.random.rand() +", 2),
        ("def backward", "def other", 2),
        ("import numpy", "import nump", 2),
    ],
)
def test_the_command_line(old, new, status, tmp_path):
    path = tmp_path / "student.py"
    path.write_text(textwrap.dedent(FILE).replace(old, new, 1) if old else FILE)
    command = [sys.executable, "-m", "nndl_rnn.diagnose", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    answer = json.loads(done.stdout)
    assert answer["exit_status"] == status
    if status == 1:
        assert answer["findings"][0]["name"] == "dh_not_carried"


def test_the_package_can_be_called_and_stays_light():
    assert nndl_rnn.diagnose("rnn", of_package("rnn"))
    code = (
        "import sys, nndl_rnn; print([m for m in sys.modules if 'diagnose' in m or m == 'numpy'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = "import sys, nndl_rnn; nndl_rnn.diagnose; print('torch' in sys.modules, 'tqdm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
