"""Optimisers: from gradients to new parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nndl_rnn._validation import Params, check_positive, fail, type_name
from nndl_rnn.training._checks import (
    check_arrays,
    check_fraction,
    check_same,
    settle,
)
from nndl_rnn.training.schedules import Schedule, rate_at, settle_rate


class Optimizer(Protocol):
    """Turns gradients into new parameters. Its memory is a flat dictionary of arrays."""

    def init(self, params: Params) -> dict[str, NDArray[Any]]: ...

    def update(
        self, params: Params, gradients: Params, state: Mapping[str, NDArray[Any]]
    ) -> tuple[Params, dict[str, NDArray[Any]]]: ...


@dataclass(frozen=True)
class SGD:
    r"""Stochastic gradient descent, with momentum if asked for.

    :math:`v \leftarrow \mu v + g`, :math:`\theta \leftarrow \theta - \eta v`. Without momentum
    (:math:`\mu = 0`) this is :math:`\theta \leftarrow \theta - \eta g`. Same as
    ``torch.optim.SGD``.

    Args:
        learning_rate: :math:`\eta`, positive, or a schedule: a function of the number of the update,
            counted from 1 by the optimiser's memory, such as :class:`Cosine`.
        momentum: :math:`\mu`, at least 0 and below 1.

    Raises:
        ValueError: a setting is out of its range.

    >>> optimizer = SGD(learning_rate=0.1)
    >>> params = {"w": np.array([1.0])}
    >>> params, state = optimizer.update(params, {"w": np.array([2.0])}, optimizer.init(params))
    >>> params["w"].tolist()
    [0.8]
    """

    learning_rate: float | Schedule
    momentum: float = 0.0

    def __post_init__(self) -> None:
        settle_rate(self, "learning_rate")
        settle(self, check_fraction, "momentum")

    def init(self, params: Params) -> dict[str, NDArray[Any]]:
        """The memory before the first update: zero velocities with momentum, a count of zero with a
        schedule, and otherwise nothing."""
        check_arrays("params", params)
        moving = params if self.momentum else {}
        velocities = {f"velocity.{name}": np.zeros_like(p) for name, p in moving.items()}
        return ({"count": np.array(0)} if callable(self.learning_rate) else {}) | velocities

    def update(
        self, params: Params, gradients: Params, state: Mapping[str, NDArray[Any]]
    ) -> tuple[Params, dict[str, NDArray[Any]]]:
        """New parameters and new memory after one step against the gradient.

        Raises:
            TypeError, ValueError: ``gradients`` or ``state`` does not belong to ``params``.
        """
        check_same("gradients", gradients, params)
        check_same("state", state, self.init(params))
        number = int(state["count"]) + 1 if "count" in state else 1
        memory = {"count": np.array(number)} if "count" in state else {}
        velocity = gradients
        if self.momentum:
            velocity = {n: self.momentum * state[f"velocity.{n}"] + gradients[n] for n in params}
            memory |= {f"velocity.{n}": v for n, v in velocity.items()}
        rate = rate_at(self.learning_rate, number)
        return {n: p - rate * velocity[n] for n, p in params.items()}, memory


@dataclass(frozen=True)
class Adam:
    r"""Adam: every parameter gets its own step length from running averages of its gradient.

    At update :math:`k`, elementwise,

    .. math::
        \mu &\leftarrow \beta_1 \mu + (1 - \beta_1) g, &
        \nu &\leftarrow \beta_2 \nu + (1 - \beta_2) g^2, \\
        \theta &\leftarrow \theta - \eta\,
        \frac{\mu / (1 - \beta_1^k)}{\sqrt{\nu / (1 - \beta_2^k)} + \epsilon}. &&

    Same as ``torch.optim.Adam``.

    Args:
        learning_rate: :math:`\eta`, positive, or a schedule: a function of k such as :class:`Cosine`.
        beta1, beta2: memory of the two averages, at least 0 and below 1.
        epsilon: :math:`\epsilon`, positive.

    Raises:
        ValueError: a setting is out of its range.

    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.

    The length of the first step does not depend on the size of the gradient:

    >>> optimizer = Adam(learning_rate=0.1)
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> gradients = {"w": np.array([200.0, -0.002])}
    >>> params, state = optimizer.update(params, gradients, optimizer.init(params))
    >>> params["w"].round(5).tolist()
    [0.9, 1.1]
    """

    learning_rate: float | Schedule = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        settle_rate(self, "learning_rate")
        settle(self, check_positive, "epsilon")
        settle(self, check_fraction, "beta1", "beta2")

    def init(self, params: Params) -> dict[str, NDArray[Any]]:
        """The memory before the first update: averages of zero, and a count of zero."""
        check_arrays("params", params)
        averages = {
            f"{kind}.{name}": np.zeros_like(value)
            for kind in ("mean", "square")
            for name, value in params.items()
        }
        return {"count": np.array(0), **averages}

    def update(
        self, params: Params, gradients: Params, state: Mapping[str, NDArray[Any]]
    ) -> tuple[Params, dict[str, NDArray[Any]]]:
        """New parameters and new memory after one step.

        Raises:
            TypeError, ValueError: ``gradients`` or ``state`` does not belong to ``params``.
        """
        check_same("gradients", gradients, params)
        check_same("state", state, self.init(params))
        count = int(state["count"]) + 1
        rate = rate_at(self.learning_rate, count)
        new_params: Params = {}
        new_state: dict[str, NDArray[Any]] = {"count": np.array(count)}
        for name, value in params.items():
            g = gradients[name]
            mean = self.beta1 * state[f"mean.{name}"] + (1 - self.beta1) * g
            square = self.beta2 * state[f"square.{name}"] + (1 - self.beta2) * g**2
            unbiased_mean = mean / (1 - self.beta1**count)
            unbiased_square = square / (1 - self.beta2**count)
            step = unbiased_mean / (np.sqrt(unbiased_square) + self.epsilon)
            new_params[name] = value - rate * step
            new_state[f"mean.{name}"], new_state[f"square.{name}"] = mean, square
        return new_params, new_state


def check_optimizer(optimizer: object) -> None:
    complete = all(callable(getattr(optimizer, name, None)) for name in ("init", "update"))
    if isinstance(optimizer, type) or not complete:
        expected = "an optimizer with the functions init and update, such as Adam()"
        got = (
            f"the class {optimizer.__name__}"
            if isinstance(optimizer, type)
            else type_name(optimizer)
        )
        raise fail(TypeError, "optimizer", expected, got)
