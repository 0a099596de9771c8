"""Training: read-out, clipping, optimisers, a loop with a progress bar, and checkpoints.

Each piece is a function or a small frozen dataclass, and each does one thing. The gradient
functions compute gradients and nothing else: clipping is a step of its own between gradient and
optimiser, so that a gradient check always sees the true gradient. One update is ::

    loss, gradients, state = loss_and_gradients(model, params, x, y)     # the derivation
    gradients = clip_by_global_norm(gradients, max_norm=1.0)             # optional
    params, optimizer_state = optimizer.update(params, gradients, optimizer_state)

and :func:`train` repeats it. Nothing is changed in place: every step returns new arrays.

:class:`EarlyStopping` keeps the best epoch. Optimisers take a schedule, such as :class:`Cosine`, as
learning rate. A :class:`TrainingState`, also one from a file, knows its model, its optimiser and its
vocabulary. Sequences may differ in length, see :func:`minibatches`, and be symbols that a model reads
by index, see :class:`SequenceModel`.

The architecture is any module with the five functions of this package (``rnn``, ``lstm``,
``gru``), or one with its options fixed by :func:`with_options`. How the gradient of the recurrent
layer is found is exchangeable as well, see :class:`GradientEstimator`.
"""

from __future__ import annotations

from nndl_rnn.training.accuracy import sequence_accuracy
from nndl_rnn.training.architectures import BoundArchitecture, architecture_name, with_options
from nndl_rnn.training.checkpoints import Record, TrainingState, load_checkpoint, save_checkpoint
from nndl_rnn.training.clipping import Clip, clip_by_global_norm, clip_by_value, global_norm
from nndl_rnn.training.gradients import GradientEstimator, Loss, loss_and_gradients
from nndl_rnn.training.loop import Batch, Batches, minibatches, start, train
from nndl_rnn.training.model import (
    SequenceModel,
    count_params,
    join_params,
    readout_backward,
    readout_forward,
    split_params,
)
from nndl_rnn.training.optimisers import SGD, Adam, Optimizer
from nndl_rnn.training.schedules import Cosine, Schedule, StepDecay, WarmUp
from nndl_rnn.training.stopping import EarlyStopping, Stop

__all__ = [
    "SGD",
    "Adam",
    "Batch",
    "Batches",
    "BoundArchitecture",
    "Clip",
    "Cosine",
    "EarlyStopping",
    "GradientEstimator",
    "Loss",
    "Optimizer",
    "Record",
    "Schedule",
    "SequenceModel",
    "StepDecay",
    "Stop",
    "TrainingState",
    "WarmUp",
    "architecture_name",
    "clip_by_global_norm",
    "clip_by_value",
    "count_params",
    "global_norm",
    "join_params",
    "load_checkpoint",
    "loss_and_gradients",
    "minibatches",
    "readout_backward",
    "readout_forward",
    "save_checkpoint",
    "sequence_accuracy",
    "split_params",
    "start",
    "train",
    "with_options",
]
