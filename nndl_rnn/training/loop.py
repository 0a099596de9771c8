"""The loop: batches, updates, epochs."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nndl_rnn import bptt
from nndl_rnn._validation import (
    Array,
    Count,
    Flag,
    Params,
    Size,
    State,
    check_array,
    check_function,
    check_rng,
    check_size,
    checked,
    described,
    fail,
    is_array,
    type_name,
)
from nndl_rnn.layers import check_lengths
from nndl_rnn.losses import of_lengths, perplexity, sigmoid_cross_entropy
from nndl_rnn.tasks.text import Vocabulary
from nndl_rnn.training._checks import check_path
from nndl_rnn.training.checkpoints import (
    Record,
    TrainingState,
    check_training_state,
    save_checkpoint,
)
from nndl_rnn.training.clipping import Clip, global_norm
from nndl_rnn.training.gradients import GradientEstimator, Loss, watched_gradients
from nndl_rnn.training.model import SequenceModel, check_model
from nndl_rnn.training.optimisers import Optimizer, check_optimizer
from nndl_rnn.training.progress import ProgressBar
from nndl_rnn.training.setups import check_vocabulary, setup_of, setup_with
from nndl_rnn.training.stopping import (
    EarlyStopping,
    Stop,
    better,
    check_stop,
    reason,
    result,
    resumed,
)

Batch = tuple[Array, Array] | tuple[Array, Array, Array]
Batches = Callable[[np.random.Generator], Iterable[Batch]]


@checked
def start(
    model: SequenceModel,
    optimizer: Optimizer,
    seed: Count,
    dtype: DTypeLike = np.float64,
    *,
    vocabulary: Vocabulary | None = None,
) -> TrainingState:
    """The state before training: new parameters, and a random generator, both from ``seed``.

    The state knows what it was made with, and so does a file that it is saved to: ``state.model``,
    ``state.optimizer``, ``state.seed`` and ``state.vocabulary``, which are the symbols of a model of
    text, as many as its inputs.

    Raises:
        TypeError, ValueError: ``seed`` is no integer of at least 0, ``vocabulary`` is none or does
            not fit ``model``, or another argument is not as :func:`train` takes it.

    >>> from nndl_rnn import rnn
    >>> from nndl_rnn.training import Adam
    >>> model = SequenceModel(rnn, input_size=2, hidden_size=5, output_size=1)
    >>> start(model, Adam(), seed=0).updates
    0
    """
    check_model(model)
    check_optimizer(optimizer)
    if vocabulary is not None:
        check_vocabulary(vocabulary, model)
    rng = np.random.default_rng(seed)
    params = model.init_params(rng, dtype)
    setup = setup_of(model, optimizer, seed, vocabulary)
    return TrainingState(params, optimizer.init(params), rng.bit_generator.state, setup=setup)


@checked
def minibatches(
    x: Array, targets: Array, batch_size: Size, *, lengths: Array | None = None
) -> Batches:
    """Batches for :func:`train`: all sequences once per epoch, in a new random order each time.

    Args:
        x: ``(T, N, m)``, or integers ``(T, N)`` for a model with an embedding.
        targets: ``(T, N, ...)``, or fewer steps where only the last ones are judged
            (``losses.of_last_steps``).
        batch_size: sequences per batch; the last batch holds what is left over.
        lengths: how many steps each sequence has, integers from 0 to T, shape ``(N,)``; ``None``: T.

    Returns:
        A function of a random generator that yields pairs ``x[:, part], targets[:, part]``, or with
        ``lengths`` triples that end in ``lengths[part]``.

    Raises:
        TypeError, ValueError: an argument is no such array, the number of sequences differs, or
            ``batch_size`` is not an integer from 1 to ``N``.

    >>> batches = minibatches(np.zeros((4, 10, 2)), np.zeros((4, 10, 1)), batch_size=4)
    >>> [x.shape[1] for x, y in batches(np.random.default_rng(0))]
    [4, 4, 2]
    """
    if not (is_array(x) and x.dtype.kind in "iu" and x.ndim == 2):
        x = check_array("x", x, ("T", "N", "m"))
    if not is_array(targets):
        raise fail(TypeError, "targets", "a numpy.ndarray", type_name(targets))
    count = x.shape[1]
    if targets.ndim < 2 or targets.shape[1] != count:
        expected = f"shape (T, {count}, ...), for the {count} sequences of x"
        raise fail(ValueError, "targets", expected, targets.shape)
    if batch_size > count:
        raise fail(ValueError, "batch_size", f"at most {count}, all sequences", batch_size)
    if lengths is not None:
        lengths = check_lengths(lengths, len(x), count)

    def one_epoch(rng: np.random.Generator) -> Iterator[Batch]:
        order = check_rng(rng).permutation(count)
        for begin in range(0, count, batch_size):
            part = order[begin : begin + batch_size]
            pair = x[:, part], targets[:, part]
            yield pair if lengths is None else (*pair, lengths[part])

    one_epoch.consecutive = False  # type: ignore[attr-defined]  # train looks at it
    return one_epoch


@checked
def train(
    model: SequenceModel,
    optimizer: Optimizer,
    batches: Batches,
    state: TrainingState,
    epochs: int,
    *,
    loss: Loss = sigmoid_cross_entropy,
    clip: Clip | None = None,
    estimator: GradientEstimator = bptt.full,
    carry_state: Flag = False,
    evaluate: Callable[[Params], Mapping[str, float]] | None = None,
    stop: EarlyStopping | Stop | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: Size = 1,
    record_perplexity: Flag = False,
    progress: Flag = True,
) -> TrainingState:
    """Train until ``epochs`` epochs are finished, those of ``state`` included.

    Training for 10 epochs, saving, loading and training to 20 gives the same bits as training
    to 20 at once. On Ctrl-C, or any other exception, the last finished epoch is saved to
    ``checkpoint`` before the exception goes on its way.

    Args:
        model: what is trained, the one that ``state`` was made with.
        optimizer: how its parameters follow the gradient.
        batches: function of a random generator that yields the batches of one epoch, such as the
            result of :func:`minibatches`: pairs of inputs and targets, or triples with the lengths
            of the sequences (see :func:`loss_and_gradients`).
        state: the result of :func:`start`, of :func:`load_checkpoint` or of an earlier call. To go
            on with another kind of optimiser, whose memory is another, pass
            ``dataclasses.replace(state, optimizer_state=optimizer.init(state.params))``.
        epochs: the number of epochs, counted from the very beginning, at which to stop.
        loss: see :func:`loss_and_gradients`.
        clip: function from gradients to gradients, such as
            ``functools.partial(clip_by_global_norm, max_norm=1.0)``. The recorded norm is the one
            before clipping.
        estimator: how gradients travel back through time.
        carry_state: begin each batch with the state that the batch before it ended in (for text
            that is cut into consecutive pieces); no gradient flows from one batch to another. Must
            be true for ``text.sequential_batches``, and false for ``text.random_batches`` and
            :func:`minibatches`.
        evaluate: function of the parameters that returns named numbers; called after each epoch.
        stop: :class:`EarlyStopping`, which keeps the best epoch; or a function of an epoch's record:
            training ends when it returns true. ``state.stopped`` says which epoch ended it.
        checkpoint: file to which the state is saved.
        checkpoint_every: number of epochs from one save to the next. The end is always saved.
        record_perplexity: add ``perplexity``, the exponential of the recorded loss, to each record;
            for a mean cross-entropy of words or characters.
        progress: show a progress bar with the last record and the time steps (of text: the tokens)
            that are read per second. In a log, where a bar cannot be written over, it is a line
            a minute and one at the end.

    Returns:
        The new training state: that of the last epoch, or of the best one with
        :class:`EarlyStopping`.

    Raises:
        FloatingPointError: scores, loss, gradient or parameters stop being finite numbers. A
            smaller learning rate, or clipping, is the usual remedy.
        TypeError, ValueError: ``epochs`` lies before the epoch of ``state``, ``checkpoint_every``
            is below 1, or an epoch has no batch; any other argument is not as said.

    >>> from nndl_rnn import rnn, tasks
    >>> from nndl_rnn.training import Adam
    >>> x, y = tasks.encode_subtraction(*tasks.subtraction_pairs(2), width=2)
    >>> model, optimizer = SequenceModel(rnn, 2, 8, 1), Adam(0.05)
    >>> state = start(model, optimizer, seed=0)
    >>> state = train(model, optimizer, minibatches(x, y, 10), state, epochs=100, progress=False)
    >>> state.updates, bool(state.history[-1]["loss"] < 0.1 * state.history[0]["loss"])
    (100, True)
    """
    check_model(model)
    check_optimizer(optimizer)
    check_training_state(state)
    check_function("batches", batches)
    check_function("loss", loss)
    check_function("estimator", estimator)
    if clip is not None and not callable(clip):
        expected = "None or a function, such as partial(training.clip_by_global_norm, max_norm=1.0)"
        raise fail(TypeError, "clip", expected, described(clip))
    if evaluate is not None:
        check_function("evaluate", evaluate)
    check_stop(stop)
    _check_carrying(batches, carry_state)
    if checkpoint is not None:
        checkpoint = check_path("checkpoint", checkpoint)
    best, state = resumed(state, setup_with(state.setup, model, optimizer))
    best, stopped = better(stop, best, state), ""
    epochs = check_size("epochs", epochs, minimum=state.epoch)
    _check_memory(optimizer, state)
    rng = _restore_rng(state.rng_state)
    update = _Update(model, optimizer, loss, clip, _with_generator(estimator, rng))
    saved_epoch = None
    try:
        with ProgressBar(state.epoch, epochs, shown=progress) as bar:
            while state.epoch < epochs:
                trained, record = _train_one_epoch(update, state, batches(rng), carry_state, bar)
                if record_perplexity:
                    record["perplexity"] = perplexity(record["loss"])
                if evaluate is not None:
                    record |= {n: float(value) for n, value in evaluate(trained.params).items()}
                state = replace(
                    trained,
                    rng_state=rng.bit_generator.state,
                    epoch=state.epoch + 1,
                    history=(*state.history, record),
                )
                best = better(stop, best, state)
                bar.finish_epoch(record)
                stopped = reason(stop, best, state)
                if checkpoint is not None and state.epoch % checkpoint_every == 0:
                    save_checkpoint(checkpoint, result(best, state, stopped))
                    saved_epoch = state.epoch
                if stopped:
                    break
    finally:
        if checkpoint is not None and saved_epoch != state.epoch:
            best = better(stop, best, state)  # an interruption may have come before it
            save_checkpoint(checkpoint, result(best, state, stopped))
    return result(best, state, stopped)


@dataclass(frozen=True)
class _Update:
    """One update of the parameters: gradient, clipping, optimiser, apart from each other."""

    model: SequenceModel
    optimizer: Optimizer
    loss: Loss
    clip: Clip | None
    estimator: GradientEstimator

    def __call__(
        self,
        state: TrainingState,
        x: Array,
        targets: Array,
        lengths: Array | None,
        carried: State | None,
    ) -> tuple[TrainingState, State, float, float, bool]:
        """The new state, the last state of the layer, the loss, the norm of the gradient before
        clipping, and whether it was clipped."""
        number = state.updates + 1
        watch = functools.partial(_check_finite, number)
        loss = self.loss if lengths is None else of_lengths(self.loss, lengths)
        found, gradients, last = watched_gradients(
            self.model, state.params, x, targets, loss, carried, self.estimator, watch
        )
        norm = global_norm(gradients)
        for name, gradient in gradients.items():
            watch(name, gradient)
        used = gradients if self.clip is None else self.clip(gradients)
        params, memory = self.optimizer.update(state.params, used, state.optimizer_state)
        clipped = self.clip is not None and any(
            not np.array_equal(used[name], gradient) for name, gradient in gradients.items()
        )
        for name, value in params.items():
            watch(name, value)
        new = replace(state, params=params, optimizer_state=memory, updates=number)
        return new, last, float(found), norm, clipped


def _train_one_epoch(
    update: _Update,
    state: TrainingState,
    batches: Iterable[Batch],
    carry_state: bool,
    bar: ProgressBar,
) -> tuple[TrainingState, Record]:
    """The state after all batches, and the record of the epoch."""
    losses: list[float] = []
    norms: list[float] = []
    clippings: list[bool] = []
    carried: State | None = None
    for x, targets, *further in batches:
        lengths = further[0] if further else None
        if carry_state and lengths is not None:
            raise fail(ValueError, "carry_state", "False for batches with lengths", carry_state)
        state, last, loss, norm, clipped = update(state, x, targets, lengths, carried)
        carried = last if carry_state else None
        losses.append(loss)
        norms.append(norm)
        clippings.append(clipped)
        bar.finish_update(loss, x.shape[0] * x.shape[1] if lengths is None else int(lengths.sum()))
    if not losses:
        raise fail(ValueError, "batches", "at least one batch per epoch", "none")
    record = {"loss": float(np.mean(losses)), "gradient_norm": max(norms)}
    if update.clip is not None:
        record["clipped"] = float(np.mean(clippings))
    return state, record


def _check_carrying(batches: Batches, carry_state: bool) -> None:
    """Refuse to carry the state over a gap, and to forget it where the text goes on."""
    consecutive = getattr(batches, "consecutive", carry_state)
    if carry_state and not consecutive:
        expected = "False for batches that do not go on where the last one ended"
        got = "True; text.sequential_batches makes batches that do"
        raise fail(ValueError, "carry_state", expected, got)
    if consecutive and not carry_state:
        expected = "True for text.sequential_batches, which go on where the last one ended"
        got = "False; text.random_batches makes batches that begin anew"
        raise fail(ValueError, "carry_state", expected, got)


def _check_memory(optimizer: Optimizer, state: TrainingState) -> None:
    """Refuse a state that holds the memory of another optimiser."""
    names, found = set(optimizer.init(state.params)), set(state.optimizer_state)
    if names != found:
        kinds = [sorted({name.partition(".")[0] for name in some}) for some in (names, found)]
        expected = f"the memory of {optimizer}, {kinds[0]}"
        remedy = "replace(state, optimizer_state=optimizer.init(state.params)) begins a new one"
        raise fail(ValueError, "state", expected, f"that of another, {kinds[1]}; {remedy}")


def _with_generator(estimator: Any, rng: np.random.Generator) -> GradientEstimator:
    """Give an estimator that requires a random generator the one of the training run."""
    parameter = inspect.signature(estimator).parameters.get("rng")
    required = parameter is not None and parameter.default is parameter.empty
    return functools.partial(estimator, rng=rng) if required else estimator


def _check_finite(update: int, name: str, numbers: Any) -> None:
    """Refuse numbers of which one is not finite, with the first such one."""
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = np.asarray(numbers)[bad][0]
        raise FloatingPointError(f"update {update}: expected finite numbers, got {first} in {name}")


def _restore_rng(rng_state: Mapping[str, Any]) -> np.random.Generator:
    bit_generator = np.random.PCG64()  # the generator of numpy.random.default_rng
    try:
        bit_generator.state = rng_state  # type: ignore[assignment]
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        expected = "rng_state to be that of a numpy.random.PCG64"
        raise fail(ValueError, "state", expected, f"another ({type(error).__name__})") from error
    return np.random.Generator(bit_generator)
