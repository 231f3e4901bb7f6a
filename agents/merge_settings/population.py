"""The little that evolution by pymoo needs: the unit cube as its problem, and values as its answers.

pymoo minimises; values are negated on the way in, and nowhere else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hm3.objectives import Array

_FAILED = 1e30  # beside it everything is good: finite, because pymoo subtracts


def begun(algorithm: Any, dimensions: int, objectives: int) -> Any:
    """The algorithm, ready to be asked for points of the unit cube; it never ends by itself."""
    from pymoo.core.problem import Problem
    from pymoo.core.termination import NoTermination

    problem = Problem(n_var=dimensions, n_obj=objectives, xl=0.0, xu=1.0)
    return algorithm.setup(problem, termination=NoTermination())


def tell(algorithm: Any, asked: Any, values: Array) -> None:
    """Answer what was asked.

    Args:
        algorithm: Of pymoo.
        asked: Its population of n individuals.
        values: (n, M), larger is better; a row with NaN is worse than any other.
    """
    from pymoo.core.evaluator import Evaluator
    from pymoo.problems.static import StaticProblem

    failed = ~np.isfinite(values).all(axis=1, keepdims=True)
    Evaluator().eval(StaticProblem(algorithm.problem, F=np.where(failed, _FAILED, -values)), asked)
    algorithm.tell(infills=asked)
