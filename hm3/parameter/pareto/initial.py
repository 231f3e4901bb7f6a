"""Where training starts: the truncated Tucker form of the experts' differences, in closed form.

With orthonormal A and B the core that is best for the squared distances at the corners is ``G_k = A^T D_k B``, and A
and B themselves are best taken as the leading left singular vectors of ``[D_1 ... D_K]`` and of ``[D_1^T ... D_K^T]``:
the truncated higher-order SVD (De Lathauwer et al. 2000, section 4.2), whose squared error is at most twice the least
possible one. For one expert it is the truncated SVD, which nothing of that rank surpasses (Eckart and Young). Once the
rank reaches the sum of the differences' ranks, every expert is met exactly; differences of full rank need a square
matrix and r = c = d for that.

Each D_k enters divided by its model's whole distance from the base, as the losses are, so that an expert that was
fine-tuned for longer does not take the rank of the others.

Training from here is a refinement. From a zero core, the other usual start, Adam would first have to find what is
known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from hm3.checks import whole
from hm3.parameter.pareto.matrices import Differences
from hm3.parameter.pareto.tensor import Term

EXACT = 512  # matrices with a shorter side are decomposed exactly, in float64
_OVERSAMPLED, _ITERATIONS = 10, 2  # of the randomised SVD (Halko et al. 2011) for the others


@torch.no_grad()
def initial_terms(differences: Differences, rank: int, *, seed: int = 0) -> dict[str, Term]:
    """A term for every matrix (c, d) in which the experts differ from the base, one matrix at a time.

    Args:
        differences: Of the K experts.
        rank: r of every term: A (c, r), G (r, r, K), B (d, r); smaller matrices have r = min(c, d).
        seed: Of the randomised SVD of large matrices.

    Raises:
        ConfigurationError: The rank is below 1.
    """
    whole("pareto_merging.rank", rank, 1)
    scales = differences.totals.rsqrt()
    return {name: _term(differences.of(name), scales, rank, seed) for name in differences.names}


def _term(differences: Tensor, scales: Tensor, rank: int, seed: int) -> Term:
    count, rows, columns = differences.shape
    rank = min(rank, rows, columns)
    scaled = differences * scales.to(differences)[:, None, None]
    right = _leading(scaled.view(count * rows, columns), rank, seed)
    left = _leading(scaled.mT.reshape(count * columns, rows), rank, seed)
    right = right.to(left)  # one side of a matrix may be decomposed exactly, the other not
    core = torch.stack([(left.mT @ each.to(left)) @ right for each in differences], dim=-1)
    return _balanced(left, core, right)


def _leading(matrix: Tensor, rank: int, seed: int) -> Tensor:
    """The leading right singular vectors, (columns, rank), orthonormal."""
    if min(matrix.shape) <= EXACT:
        vectors: Tensor = torch.linalg.svd(matrix.double(), full_matrices=False).Vh.mT
    else:
        with _seeded(seed):
            most = min(rank + _OVERSAMPLED, *matrix.shape)
            vectors = torch.svd_lowrank(matrix, q=most, niter=_ITERATIONS)[2]
    return vectors[:, :rank]


def _balanced(left: Tensor, core: Tensor, right: Tensor) -> Term:
    """The same term with factors of one root mean square, so that one learning rate suits all three."""
    spread = (left.shape[0] * right.shape[0]) ** 0.5
    size = float(core.double().square().mean().sqrt() / spread) ** (1 / 3) or 1.0
    parts = (left * size * left.shape[0] ** 0.5, core / (size**2 * spread), right * size * right.shape[0] ** 0.5)
    return Term(*(part.float().contiguous() for part in parts))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let the block draw from torch's own generator as seeded; afterwards it is as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
