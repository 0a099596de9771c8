"""One valid call of every public function: where `test_contract` begins to spoil arguments.

A function with options has a call for each form that checks its arguments otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nndl_rnn import (
    activations,
    bptt,
    clockwork,
    costs,
    coupled,
    gradcheck,
    gradient_flow,
    gru,
    initialisers,
    jacobians,
    layers,
    losses,
    lstm,
    mingru,
    parameters,
    peephole,
    residual,
    rnn,
    tasks,
    training,
    unrolled,
)
from nndl_rnn.diagnose import at_point, diagnose
from nndl_rnn.figures import diagrams, interactive, plotting
from nndl_rnn.peers import converters, layouts, torch_reference
from nndl_rnn.tasks import text

T, B, D, H, Q = 4, 3, 2, 5, 6  # all different, so that no size can stand for another


@dataclass(frozen=True)
class Call:
    """A function, its arguments, and which of the ways to spoil them are no fault.

    `allowed` holds patterns of "parameter: spoiling" as in a shell, such as ``x: axis 0 *`` where
    the number of steps is free. `blamed` are names that an error may begin with in place of the
    parameter's, where a function hands its arguments on.
    """

    function: Callable[..., Any]
    arguments: dict[str, Any]
    allowed: tuple[str, ...] = ()
    blamed: tuple[str, ...] = ()
    this: dict[str, Any] = field(default_factory=dict)  # what is passed, but never spoiled
    draws_first: bool = False  # from rng, as documented, before it looks at the other arguments

    @property
    def name(self) -> str:
        return f"{self.function.__module__}.{self.function.__qualname__}"


def calls() -> list[Call]:
    """All of them, each time with new arrays and generators."""
    networks = [
        *network(rnn, nonlinearity="tanh"),
        *network(residual),
        *network(lstm, forget_bias=1.0),
        *network(gru, reset="before", update="keep"),
        *network(peephole),
        *network(coupled),
        *network(mingru),
        *network(clockwork, periods=(1, 2, 4)),
    ]
    return [
        *networks,
        *the_loop(),
        *several_layers(),
        *estimators(),
        *of_a_network(),
        *matrices_and_costs(),
        *entry_by_entry(),
        *losses_of_sequences(),
        *checks_of_gradients(),
        *generated_tasks(),
        *texts(),
        *architectures_and_parameters(),
        *optimisers(),
        *training_runs(),
        *peers(),
        *diagnoses(),
        *figures(),
    ]


def example(module: Any, **options: Any) -> Any:
    """Parameters, inputs, states and cotangents of a network."""
    rng = np.random.default_rng(0)
    params = module.init_params(rng, D, H)
    fields = len(module.STATE_FIELDS)
    x, d_h = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H))
    state, d_state = (tuple(rng.normal(size=(fields, B, H))) for _ in range(2))
    return params, x, state, d_h, d_state


def network(module: Any, forget_bias: float | None = None, **options: str) -> list[Call]:
    params, x, state, d_h, d_state = example(module)
    biased = {} if forget_bias is None else {"forget_bias": forget_bias}
    drawn = {"rng": np.random.default_rng(0), "input_size": D, "hidden_size": H}
    cache = module.forward(params, x, state, **options)[2]
    step_cache = module.step(params, x[0], state, **options)[1]
    into = {name: np.zeros_like(value) for name, value in params.items()}
    free = ("params: without bias_ih", *PERIODS) if module is mingru else PERIODS
    gates = (
        [Call(module.split_gates, {"params": params, "gradient": True}, FREE_D)]
        if module in (rnn, lstm, gru)
        else []
    )
    return [
        Call(module.init_params, {**drawn, "dtype": np.float32, "bias": True, **biased}),
        Call(module.step, {"params": params, "x_t": x[0], "state": state, **options}, free),
        Call(module.step_backward, {"cache": step_cache, "d_state": d_state}),
        Call(module.forward, {"params": params, "x": x, "state": state, **options}, FREE_T + free),
        Call(
            module.backward,
            {"cache": cache, "d_h": d_h, "d_state": d_state, "into": into},
            ("into: *not finite",),  # what is added to may be anything
        ),
        *gates,
    ]


FREE_T = ("x: axis 0 *",)
PERIODS = ("periods: one *", "periods: [012] an integer")
LISTS = ("*: list", "*: subclass")  # what NumPy makes an array of
FREE_AXES = ("*: axis *", "*: float32")
ANY_FLOATS = (*LISTS, *FREE_AXES, "*: a float", "*: complex", "*: empty [lt]*", "*: tensor")
NOT_FINITE = ("*not finite",)
ANY_NUMBERS = (*NOT_FINITE, "*float16", "*complex64", "*float32", "*int64")
FREE_D = ("params: weight_ih axis 1 *", "params: float32")


def the_loop() -> list[Call]:
    params, x, state, d_h, d_state = example(gru)
    cache = unrolled.forward(gru, params, x, state)[2]
    run = {"architecture": gru, "params": params, "x": x, "state": state, "reset": "before"}
    into = {name: np.zeros_like(value) for name, value in params.items()}
    back = {"cache": cache, "d_h": d_h, "d_state": d_state, "into": into}
    return [
        Call(unrolled.forward, run, FREE_T),
        Call(unrolled.backward, back, ("into: *not finite",)),
        Call(
            parameters.block,
            {"params": params, "gate": "z"},
            OTHER_NAMES,
        ),
        Call(
            parameters.block,
            {"prefix": ""},
            ("prefix: empty",),
            this={"params": params, "gate": "z"},
        ),
    ]


OTHER_NAMES = (*FREE_D, "gate: text", "params: *name")


def several_layers() -> list[Call]:
    rng = np.random.default_rng(0)
    sizes = {"num_layers": 2, "bidirectional": True, "proj_size": 2}
    drawn = {"architecture": lstm, "rng": rng, "input_size": D, "hidden_size": H}
    params = layers.init_params(**drawn, **sizes)
    x, d_h = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, 4))
    state, d_state = ((rng.normal(size=(4, B, 2)), rng.normal(size=(4, B, H))) for _ in range(2))
    run = {"architecture": lstm, "params": params, "x": x, "state": state}
    run["lengths"] = np.array([T, 2, 0])
    cache = layers.forward(**run)[2]
    return [
        Call(layers.init_params, {**drawn, "dtype": np.float32, **sizes}, draws_first=True),
        Call(layers.forward, run, FREE_T),
        Call(layers.backward, {"cache": cache, "d_h": d_h, "d_state": d_state}),
    ]


def estimators() -> list[Call]:
    params, x, state, d_h, d_state = example(gru)
    common = {"architecture": gru, "params": params, "x": x, "d_h": d_h, "state": state}
    common |= {"d_state": d_state}
    own: dict[str, dict[str, Any]] = {
        "full": {},
        "checkpointed": {"segments": 2},
        "windowed": {"tau": 2},
        "chunked": {"k1": 1, "k2": 2},
        "reweighted": {"xi": np.ones(T)},
        "randomized": {"pi": 0.5, "rng": np.random.default_rng(0)},
    }
    cache, rng = gru.forward(params, x, state)[2], np.random.default_rng(0)
    return [
        *(
            Call(
                getattr(bptt, name),
                common | options,
                ("xi: float32",),
                draws_first=name == "randomized",
            )
            for name, options in own.items()
        ),
        Call(bptt.draw_factors, {"pi": 0.5, "steps": T, "rng": rng}),
        Call(bptt.draw_factors, {"pi": np.full(T, 0.5), "steps": T, "rng": rng}, PROBABILITIES),
        Call(bptt.kept_bytes, {"cache": cache}),
    ]


PROBABILITIES = (*LISTS, "pi: a float", "pi: float16", "pi: float32", "pi: axis less")


def of_a_network() -> list[Call]:
    params, x, state, d_h, _ = example(lstm)
    common = {"architecture": lstm, "params": params, "x": x, "state": state}
    path = {"parts": ("direct",), "block": "cc"}
    flow = {"architecture": lstm, "params": params, "x": x, "d_h_last": d_h[-1]}
    return [
        Call(jacobians.step_parts, common, FREE_T),
        Call(jacobians.jacobian, {**common, "t": 3, "k": 1, **path}, FREE_PARTS),
        Call(jacobians.lags, {**common, **path}, FREE_PARTS),
        Call(gradient_flow.gradient_flow, flow, FREE_T, blamed=("x_t",)),
        Call(gradient_flow.by_matrices, flow, FREE_T),
    ]


FREE_PARTS = (*FREE_T, "parts: list", "parts: one more")


def matrices_and_costs() -> list[Call]:
    rng, params = np.random.default_rng(0), example(lstm)[0]
    drawn = {"rng": rng, "rows": 2, "columns": 3, "gain": 0.5, "dtype": np.float32}
    sizes = {"architecture": lstm, "input_size": D, "hidden_size": H}
    return [
        Call(initialisers.orthogonal, drawn),
        Call(initialisers.glorot_uniform, drawn),
        Call(initialisers.identity, {"size": 2, "gain": 0.5, "dtype": np.float32}),
        Call(initialisers.with_recurrent, {"params": params, "make": np.eye}, FREE_D, HANDED),
        Call(
            initialisers.with_forget_bias,
            {"params": params, "value": 1.0, "update": "keep"},
            FREE_D,
        ),
        Call(costs.parameters, {**sizes, "output_size": Q}),
        Call(costs.multiply_adds, {**sizes, "output_size": Q, "backward": True}),
        Call(
            costs.hidden_size_for,
            {"architecture": lstm, "input_size": D, "parameters": 500, "output_size": Q},
        ),
    ]


HANDED = ("make(hidden_size)",)


def entry_by_entry() -> list[Call]:
    value, out = np.full((2, 3), 0.5), {"out": np.empty((2, 3))}
    anything = (*ANY_FLOATS, *NOT_FINITE)
    return [
        Call(activations.sigmoid, {"a": value}, anything),
        Call(activations.sigmoid, out, NOT_FINITE, this={"a": value}),
        Call(activations.sigmoid_derivative, {"a": value}, anything),
        Call(activations.sigmoid_derivative_from_value, {"value": value}, anything),
        Call(activations.tanh, {"a": value}, anything),
        Call(activations.tanh, out, NOT_FINITE, this={"a": value}),
        Call(activations.tanh_derivative, {"a": value}, anything),
        Call(activations.tanh_derivative_from_value, {"value": value}, anything),
    ]


def losses_of_sequences() -> list[Call]:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(T, B, Q))
    shares, classes = losses.softmax(-scores), rng.integers(0, Q, size=(T, B))
    mean = {"over_time": "mean", "over_batch": "sum"}
    last, lengths = losses.of_last_steps(losses.squared_error), np.array([1, 2, T])
    by_length = losses.of_lengths(losses.squared_error, lengths)
    return [
        Call(losses.squared_error, {"prediction": scores, "target": shares, **mean}),
        Call(losses.sigmoid_cross_entropy, {"scores": scores, "target": shares, **mean}),
        Call(losses.cross_entropy, {"scores": scores, "target": shares, **mean}),
        Call(losses.cross_entropy, {"scores": scores, "target": classes, **mean}, MORE_CLASSES),
        Call(losses.of_last_steps, {"loss": losses.squared_error}),
        Call(last, {"scores": scores, "target": shares[2:]}, ("*: axis 0 *",), ("prediction",)),
        Call(losses.of_lengths, {"loss": losses.squared_error, "lengths": lengths}, ANY_LENGTHS),
        Call(by_length, {"scores": scores, "target": shares}, ("*: axis [12] *",), LENGTHS),
        Call(losses.perplexity, {"mean_cross_entropy": 1.5}),
        Call(losses.softmax, {"scores": scores}, FREE_AXES),
        Call(losses.log_softmax, {"scores": scores}, FREE_AXES),
    ]


ANY_LENGTHS = ("lengths: axis 0 *",)
LENGTHS = ("prediction", "target", "lengths")
MORE_CLASSES = ("scores: float32", "scores: axis 2 longer")


def square(arrays: dict[str, Any]) -> Any:
    return np.sum(arrays["x"] ** 2)


def checks_of_gradients() -> list[Call]:
    point, gradient = {"x": np.array([[0.5, 2.0]])}, {"x": np.array([[1.0, 4.0]])}
    where = {"function": square, "arrays": point}
    return [
        Call(gradcheck.central_difference, {**where, "step": 1e-5}, ANYWHERE),
        Call(gradcheck.complex_step, {**where, "step": 1e-30}, ANYWHERE),
        Call(
            gradcheck.relative_error, {"actual": point["x"], "expected": gradient["x"]}, ANY_NUMBERS
        ),
        Call(
            gradcheck.compare,
            {"actual": gradient, "expected": gradient, "tolerance": 1e-9},
            ANY_NUMBERS,
            ("actual",),
        ),
        Call(
            gradcheck.check_gradient,
            {**where, "gradient": gradient, "method": "complex_step", "tolerance": 1e-9},
            (*(f"gradient: {pattern}" for pattern in ANY_NUMBERS), *UNCHECKED, *ONE_ROW),
            ("gradient",),
        ),
    ]


UNCHECKED = ("arrays: *name",)
ONE_ROW = ("*: x axis less", "*: x axis more")  # only an axis of length 1 differs
ANYWHERE = ("arrays: *name", "arrays: empty dict", "arrays: without *", "arrays: x axis *")


def generated_tasks() -> list[Call]:
    rng = np.random.default_rng(0)
    words = tasks.sample_sentences(2, B, rng)
    pair = {"minuend": np.array([6, 9]), "subtrahend": np.array([5, 1]), "width": 4}
    one = {"minuend": 6, "subtrahend": 5, "predicted_bits": [1, 0, 0, 0]}
    draw = {"gap": 12, "count": B, "rng": rng, "distractors": 1, "countries": 3}
    return [
        Call(tasks.adding_problem, {"steps": T, "count": B, "rng": rng, "dtype": np.float32}),
        Call(tasks.sample_sentences, draw),
        Call(tasks.encode_sentences, {"words": words, "scored": "all", "dtype": np.float32}, WORDS),
        Call(tasks.decode_sentences, {"words": words}, WORDS),
        Call(tasks.split_indices, {"count": 10, "held_out": 3, "rng": rng}),
        Call(tasks.subtraction_pairs, {"width": 3}),
        Call(tasks.sample_subtraction_pairs, {"width": 4, "count": B, "rng": rng}),
        Call(tasks.to_bits, {"values": np.array([6, 9]), "width": 4}, WORDS),
        Call(
            tasks.from_bits, {"bits": np.array([[0, 1], [1, 1]])}, (*WORDS, "*: bool", "*: float*")
        ),
        Call(tasks.subtraction_borrows, pair, LISTS),
        Call(tasks.encode_subtraction, {**pair, "dtype": np.float32}, LISTS),
        Call(tasks.format_subtraction, one, ANY_BITS, ("minuend",)),
    ]


WORDS = (*LISTS, "*: axis [01] *")
ANY_BITS = ("predicted_bits: tuple", "*: one *", "*: [0123] whole float", "*: [0123] True")


def texts() -> list[Call]:
    rng, vocabulary = np.random.default_rng(0), text.Vocabulary.of("banana")
    indices = np.arange(23) % len(vocabulary)
    cut = {"indices": indices, "batch_size": 2, "steps": 3, "size": 4, "dtype": np.float32}
    model = training.SequenceModel(gru, 4, H, 4)
    params = model.init_params(rng)
    ask = {"model": model, "params": params}
    go_on = {"vocabulary": vocabulary, "prefix": "ban", "length": 2, "temperature": 0.5, "rng": rng}
    go_on["unknown"] = "refuse"
    return [
        Call(text.normalise, {"text": "Ban", "line_ends": "space", "letters": "a-z"}, EMPTY),
        Call(text.Vocabulary, {"symbols": ("<unk>", "a", "b")}, ("*: one less",)),
        Call(text.Vocabulary.of, {"text": "banana"}, EMPTY),
        Call(text.Vocabulary.encode, {"text": "ban"}, EMPTY, this={"self": vocabulary}),
        Call(text.Vocabulary.decode, {"indices": indices}, INDICES, this={"self": vocabulary}),
        Call(text.one_hot, {"indices": indices, "size": 4, "dtype": np.float32}, INDICES),
        Call(text.sequential_batches, cut, WORDS),
        Call(text.random_batches, cut, WORDS),
        Call(text.sequential_batches(**cut), {"rng": rng}),
        Call(text.random_batches(**cut), {"rng": rng}),
        Call(
            text.cross_entropy_of,
            {**ask, "indices": indices, "batch_size": 2, "steps": 3},
            (*WORDS, "params: float32"),
            IN_MODEL,
        ),
        Call(
            text.continue_text,
            ask | go_on,
            ("params: float32", "params: readout.* not finite"),
            IN_MODEL,
        ),
        Call(text.generate_sentences, {"rng": rng, "length": 50}),
    ]


EMPTY = ("text: empty",)
INDICES = (*LISTS, "*: axis *", "*: an integer", "*: empty [lt]*")
IN_MODEL = ("x", "dtype", "scores", "readout", "h")


def architectures_and_parameters() -> list[Call]:
    model = training.SequenceModel(rnn, D, H, Q)
    rng = np.random.default_rng(0)
    params = model.init_params(rng)
    cell, readout = training.split_params(params)
    h, scores = rng.normal(size=(T, B, H)), rng.normal(size=(T, B, Q))
    answers = (scores > 0) * 1.0
    sizes = {"input_size": D, "hidden_size": H, "output_size": Q}
    run = {"params": params, "x": rng.normal(size=(T, B, D)), "state": (np.zeros((B, H)),)}
    back = {"readout": readout, "h": h, "d_scores": scores}
    return [
        Call(training.with_options, {"architecture": gru}, this={"reset": "before"}),
        Call(training.architecture_name, {"architecture": gru}, WITH_A_NAME),
        Call(training.sequence_accuracy, {"scores": scores, "targets": answers}, ("*: float32",)),
        Call(training.join_params, {"cell": cell, "readout": readout}, ANY_ENTRIES),
        Call(training.split_params, {"params": params}, ("*: cell.*", "*: readout.*", *SUBSETS)),
        Call(training.count_params, {"params": {"w": h}}, SOME_ARRAYS),
        Call(
            training.readout_forward,
            {"readout": readout, "h": h},
            ("h: axis [01] *", *NOT_FINITE),
        ),
        Call(training.readout_backward, back, NOT_FINITE),
        Call(training.SequenceModel, {"architecture": gru, **sizes, "embedding_size": 3}),
        Call(
            training.SequenceModel.init_params,
            {"rng": rng, "dtype": np.float32},
            this={"self": model},
        ),
        Call(
            training.SequenceModel.hidden,
            run,
            (*FREE_T, "params: readout.*", "params: without readout.*"),
            this={"self": model},
        ),
        Call(
            training.SequenceModel.scores,
            run,
            (*FREE_T, "params: readout.* not finite"),
            ("readout", "h"),
            this={"self": model},
        ),
    ]


WITH_A_NAME = ("*: function", "*: module", "*: its function")
SUBSETS = ("*: empty dict", "*: without *", "*: float32")
ANY_ENTRIES = ("*: weight*", "*: bias*", "*: further name", *SUBSETS)
SOME_ARRAYS = (*ANY_NUMBERS, "*: further name", "*: w axis *", *SUBSETS)


def optimisers() -> list[Call]:
    params, gradients = ({"w": np.array([[1.0, 2.0, 3.0]]) * k} for k in (1, 2))
    momentum, adam = training.SGD(0.1, 0.9), training.Adam()
    steady = {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.5, "epsilon": 1e-8}
    calls = [
        Call(training.global_norm, {"gradients": gradients}, SOME_ARRAYS),
        Call(training.clip_by_global_norm, {"gradients": gradients, "max_norm": 1.0}, SOME_ARRAYS),
        Call(training.clip_by_value, {"gradients": gradients, "limit": 1.0}, SOME_ARRAYS),
        Call(training.SGD, {"learning_rate": 0.1, "momentum": 0.9}, SCHEDULE),
        Call(training.Adam, steady, SCHEDULE),
        Call(
            training.EarlyStopping,
            {"name": "held out", "patience": 2, "best": "lowest"},
            ("name: empty", "name: text"),
        ),
        Call(training.StepDecay, {"start": 0.1, "every": 2, "factor": 0.5}),
        Call(training.Cosine, {"start": 0.1, "updates": 2, "end": 0.01}),
        Call(training.WarmUp, {"rate": 0.1, "updates": 2}, SCHEDULE),
    ]
    for optimiser in (momentum, adam):
        kind, update = type(optimiser), {"params": params, "gradients": gradients}
        update["state"] = optimiser.init(params)
        calls += [
            Call(kind.init, {"params": params}, SOME_ARRAYS, this={"self": optimiser}),
            Call(kind.update, update, NOT_FINITE, ("gradients", "state"), this={"self": optimiser}),
        ]
    return calls


SCHEDULE = ("learning_rate: function", "rate: function")
ANY_ARRAY = (*ANY_NUMBERS, "object", "bool", "str")


def training_runs() -> list[Call]:
    rng = np.random.default_rng(0)
    x, targets = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, Q))
    model, optimizer = training.SequenceModel(rnn, D, H, Q), training.Adam()
    state, pair = training.start(model, optimizer, seed=0), text.Vocabulary.of("a")
    start = {"model": model, "optimizer": optimizer}
    batches = training.minibatches(x, targets, 2)
    lengths = np.array([1, 2, T])
    functions = {"loss": losses.squared_error, "estimator": bptt.full}
    one = {"model": model, "params": state.params, "x": x, "targets": targets, **functions}
    options = {
        **functions,
        "clip": partial(training.clip_by_global_norm, max_norm=1.0),
        "carry_state": False,
        "evaluate": lambda params: {},
        "stop": lambda record: False,
        "checkpoint": "state.npz",
        "checkpoint_every": 1,
        "record_perplexity": False,
        "progress": False,
    }
    return [
        Call(
            training.loss_and_gradients,
            {**one, "state": (np.zeros((B, H)),), "lengths": lengths},
            ("params: readout.* not finite",),
            ("readout", "h", "prediction", "scores", "target"),
        ),
        Call(training.start, {**start, "seed": 0, "dtype": np.float32, "vocabulary": pair}),
        Call(
            training.minibatches,
            {"x": x, "targets": targets, "batch_size": 2, "lengths": lengths},
            ("*: axis [02] *", "x: float32", *(f"targets: {way}" for way in ANY_ARRAY)),
        ),
        Call(batches, {"rng": rng}),
        Call(training.save_checkpoint, {"path": "state.npz", "state": state}, ("path: text",)),
        Call(training.train, {**start, "batches": batches, "state": state, "epochs": 1, **options}),
    ]


def peers() -> list[Call]:
    params, x, state, d_h, d_state = example(gru)
    layer = converters.to_pytorch("gru", params, layer=1)
    stack = layers.init_params(gru, np.random.default_rng(0), D, H, num_layers=2)
    keras = converters.to_keras("gru", params, reset="before")
    onnx = converters.to_onnx("lstm", example(lstm)[0]) | {"P": np.ones((1, 3 * H))}
    of_gru = {"architecture": "gru", "params": params}
    run = {**of_gru, "x": x, "d_h": d_h, "state": state, "d_state": d_state}
    return [
        Call(
            converters.from_pytorch,
            {"architecture": "gru", "state_dict": layer, "layer": 1},
            ("state_dict: float32", "state_dict: weight_ih_l1 axis 1 *"),
            ("params", "layer"),
        ),
        Call(converters.to_pytorch, {**of_gru, "layer": 0}, FREE_D),
        Call(
            converters.layers_from_pytorch,
            {"architecture": "gru", "state_dict": stack},
            ("state_dict: float32", "state_dict: weight_ih_l0 axis 1 *"),
            ("params",),
        ),
        Call(
            converters.layers_from_keras,
            {
                "architecture": "gru",
                "weights": converters.layers_to_keras("gru", stack, reset="before"),
                "reset": "before",
            },
            tuple(f"weights: {way}" for way in ("tuple", "[01] tuple", "one less", "0 0 axis 0 *")),
            ("params",),
        ),
        Call(
            converters.layers_to_keras,
            {"architecture": "gru", "params": stack, "reset": "before"},
            ("params: float32", "params: weight_ih_l0 axis 1 *"),
        ),
        Call(
            converters.from_keras,
            {"architecture": "gru", "weights": keras, "reset": "before"},
            tuple(f"weights: {way}" for way in ("tuple", "one less", "float32", "0 axis 0 *")),
        ),
        Call(converters.to_keras, {**of_gru, "reset": "before"}, FREE_D),
        Call(converters.from_onnx, {"architecture": "lstm", **onnx}, ("W: axis 2 *",)),
        Call(converters.to_onnx, of_gru, FREE_D),
        Call(converters.flip_update_gate, {"params": params}, FREE_D),
        Call(torch_reference.from_torch, {"module": torch_reference.to_torch("gru", params)}),
        Call(torch_reference.to_torch, {**of_gru, "nonlinearity": "tanh"}, FREE_D),
        Call(torch_reference.run, {**run, "nonlinearity": "tanh"}),
    ]


LEARNED = training.TrainingState({}, {}, {}, epoch=1, history=({"loss": 0.5},))


def diagnoses() -> list[Call]:
    params, x, state, d_h, _ = example(gru)
    book = gru.split_gates(params)
    form = {"reset": "after", "update": "keep"}
    described = {"names": ("W_{}", "U_{}", "b_{}"), "stacked": False, "order": "zrh"}
    described |= {"letters": "rzn", "joined": "no", "transposed": True, "columns": False}
    point = {"params": book, "x": x, "state": state, "d_h": d_h}

    def backward(params: Any, x: Any, state: Any, d_h: Any) -> dict[str, Any]:
        return {name: value * 2 for name, value in params.items()}

    def forward(params: Any, x: Any, state: Any) -> Any:
        return np.zeros((*x.shape[:2], state[0].shape[1]))

    run = {"backward": backward, "forward": forward, **form}
    drawn = {"sizes": (3, 1, 2, 4), "last_step": True, "seed": 0}
    return [
        Call(diagnose, {"architecture": "gru", **run, **drawn}, ANY_SIZE),
        Call(diagnose, {"layout": None}, this={"architecture": "gru", "backward": backward}),
        Call(
            at_point,
            {"architecture": "gru", "gradients": {"W_r": book["W_r"]}, **point, **form},
            ("gradients: *float32", "params: without beta_h"),
            ("gates",),
        ),
        Call(layouts.layout, {"architecture": "gru", **described, "axes": "BTD"}, ANY_NAME),
        Call(
            layouts.from_gates,
            {"architecture": "gru", "gates": book},
            ("gates: float32", "gates: without beta_h"),
        ),
    ]


ANY_SIZE = ("sizes: [0123] an integer",)
ANY_NAME = ("names: list", "names: one more", "letters: text", "axes: capitals")


def figures() -> list[Call]:
    axes = Figure().subplots()
    slider = {"label": "gate", "stops": ["0.5", "0.9"], "start": 1}
    sliders = interactive.Slider("gate", ["0.5", "0.9"]), interactive.Slider("scale", ["1", "2"])
    band = {"axes": axes, "x": np.arange(3.0), "samples": np.ones((2, 3)), "label": "two runs"}
    explorer = {
        "name": "example",
        "curves": {"all": np.ones((2, 2, 8))},
        "sliders": sliders,
        "x_label": "lag",
        "y_label": "norm",
        "title": "Norm.",
        "y_decades": (-3, 1),
        "table": [(0, 1, 8)],
    }
    return [
        Call(plotting.plot_band, {**band, "quantiles": (0.1, 0.9)}, BANDS, ("samples",)),
        Call(plotting.plot_history, {"state": LEARNED, "max_norm": 1.0}),
        Call(diagrams.unrolled_rnn, {"steps": 2}),
        Call(interactive.Slider, slider, STOPS),
        Call(interactive.explorer, explorer, EXPLORED),
    ]


STOPS = ("*: empty", "stops: tuple", "stops: one more", "stops: [01] text", "stops: [01] empty")
BANDS = (
    *(f"{name}: {way}" for name in ("x", "samples") for way in ANY_NUMBERS),
    *(f"x: {way}" for way in ("list", "subclass")),
    "samples: axis 0 *",
    "label: empty",
    "quantiles: [01] *",  # whatever is a number from 0 to 1
)
EXPLORED = (
    "?_label: empty",
    "title: empty",
    "curves: further name",
    *(f"curves: {way}" for way in (*ANY_NUMBERS, "all axis 2 longer")),
    "y_decades: [01] *",  # two whole numbers in order
    *(f"table: {way}" for way in ("empty [lt]*", "tuple", "one *", "0 2 an integer")),
)
