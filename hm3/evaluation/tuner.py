"""Sources that a tensor conditions, in a bank: one base, one set of factors, any weights."""

from __future__ import annotations

from typing import NamedTuple

import torch

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.layers import LayerBank
from hm3.layers.conditioned import Conditions
from hm3.parameter.pareto import METHOD, ParetoTensor, TunedCheckpoint, tensor_digest
from hm3.recipe import Source


class _Loaded(NamedTuple):
    tensor: ParetoTensor
    base: Checkpoint


class Tuner:
    """Makes conditioned sources known to a bank.

    Args:
        bank: Where they are needed.
    """

    def __init__(self, bank: LayerBank) -> None:
        self._bank = bank
        self._loaded: dict[str, _Loaded] = {}

    def load(self, digest: str, tensor: ParetoTensor, base: Checkpoint) -> None:
        """Make a tensor known, and its base, which need not be a source that is stacked.

        Args:
            digest: The tensor's.
            tensor: The tensor.
            base: What its terms are added to.
        """
        self._loaded[digest] = _Loaded(tensor, base)

    def tune(self, digest: str, source: Source) -> None:
        """Make a source known that a tensor conditions; nothing is computed before its layers are used.

        Args:
            digest: The source's.
            source: Made by `ParetoTensor.source`.

        Raises:
            CheckpointError: Its tensor is not known.
        """
        wanted = tensor_digest(source)
        if wanted not in self._loaded:
            raise CheckpointError(f"source {source.name}: a {METHOD} tensor that is loaded, got digest {wanted[:12]}")
        (tensor, base), home = self._loaded[wanted], self._loaded[wanted].tensor.base.digest
        if home not in self._bank:
            self._bank.add(home, base)
        assert source.merge is not None
        checkpoint = TunedCheckpoint(source.name, source.merge, tensor, base)
        weights = torch.tensor(source.merge.weights, dtype=torch.float32, device=self._bank.device)
        self._bank.tune(digest, checkpoint, Conditions(home, wanted, tensor.term, weights))
