"""Whether a tensor belongs to the base that it is given."""

from __future__ import annotations

from collections.abc import Sequence

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.layers import Family, family_of
from hm3.parameter.pareto.tensor import METHOD, ParetoTensor, Term


def check_fits(tensor: ParetoTensor, base: Checkpoint) -> None:
    """See that a tensor's terms can be added to a base.

    Raises:
        CheckpointError: It was trained for another base, or a term is for no matrix of the base's layers.
    """
    if base.source.digest != tensor.base.digest:
        wanted, got = tensor.base.digest[:12], base.source.digest[:12]
        raise CheckpointError(f"{METHOD}: the base that the tensor was trained for, {wanted}, got {base.name}, {got}")
    family, experts = family_of(base.name, base.config), len(tensor.experts)
    for name, term in tensor.terms.items():
        if name not in base.tensors or not _in_a_layer(name, family, base.depth):
            raise CheckpointError(f"{METHOD}: terms for weights of {base.name}'s layers, got one for {name}")
        shape = base.tensors[name].shape
        if not _is_of(term, shape, experts):
            sizes = [list(part.shape) for part in (term.left, term.core, term.right)]
            rule = f"factors (c, r), (r, r, {experts}) and (d, r) of {name}, {list(shape)}"
            raise CheckpointError(f"{METHOD}: {rule}, got {sizes}")


def _in_a_layer(name: str, family: Family, depth: int) -> bool:
    return any(name.startswith(family.layer_prefix(layer)) for layer in range(depth))


def _is_of(term: Term, shape: Sequence[int], experts: int) -> bool:
    rank, rows, columns = len(term.core), len(term.left), len(term.right)
    wanted = [(rows, rank), (rank, rank, experts), (columns, rank)]
    sizes = [tuple(part.shape) for part in (term.left, term.core, term.right)]
    return tuple(shape) == (rows, columns) and sizes == wanted
