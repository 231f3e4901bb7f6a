"""What training changes: the factors of every matrix's term."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from hm3.parameter.pareto.tensor import Term


class Factors:
    """The terms of all matrices as leaf tensors that gradients are added to.

    Args:
        terms: Name of a weight matrix -> the term to start from, which is copied.
    """

    def __init__(self, terms: Mapping[str, Term]) -> None:
        self._terms = {
            name: Term(*map(_leaf, (term.left, term.core, term.right))) for name, term in sorted(terms.items())
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The matrices' names, as checkpoints call them, sorted."""
        return tuple(self._terms)

    def term(self, name: str) -> Term:
        """The factors of one matrix, A (c, r), G (r, r, K) and B (d, r): the leaves themselves."""
        return self._terms[name]

    def terms(self) -> dict[str, Term]:
        """All of them, by the matrix's name: the leaves themselves."""
        return dict(self._terms)

    def parameters(self) -> list[Tensor]:
        """Every leaf: A, G and B of the first matrix, then of the next."""
        return [leaf for term in self._terms.values() for leaf in (term.left, term.core, term.right)]

    def frozen(self) -> dict[str, Term]:
        """Copies that stay as they are when training goes on."""
        return {
            name: Term(*(_copy(part) for part in (term.left, term.core, term.right)))
            for name, term in self._terms.items()
        }


def _copy(part: Tensor) -> Tensor:
    return part.detach().clone().contiguous()


def _leaf(part: Tensor) -> Tensor:
    return _copy(part).requires_grad_()
