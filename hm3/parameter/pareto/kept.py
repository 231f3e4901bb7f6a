"""Tensors that merge specifications name by digest, kept in one folder and found by it."""

from __future__ import annotations

from pathlib import Path

from hm3.errors import CheckpointError
from hm3.parameter.pareto.files import load_tensor, save_tensor
from hm3.parameter.pareto.tensor import METHOD, TENSOR, ParetoTensor
from hm3.recipe import MergeSpec
from hm3.recipe.files import PARETO


class KeptTensors:
    """A folder of tensors, shared by runs and processes.

    Args:
        folder: The folder; made when something is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, tensor: ParetoTensor) -> Path:
        """Keep a tensor, if it is not there; its file."""
        file = self._place(tensor.digest)
        return file if file.is_file() else save_tensor(tensor, file)

    def file(self, spec: MergeSpec) -> Path:
        """The file of the tensor that a specification names.

        Raises:
            CheckpointError: It is not kept.
        """
        digest = str(dict(spec.settings)[TENSOR])
        file = self._place(digest)
        if not file.is_file():
            rule = f"the tensor {digest[:12]} in {file.parent}; a run and its exported models have it as {PARETO}"
            raise CheckpointError(f"{METHOD}: {rule}, got none")
        return file

    def load(self, spec: MergeSpec) -> ParetoTensor:
        """The tensor that a specification names.

        Raises:
            CheckpointError: It is not kept, or damaged.
        """
        return load_tensor(self.file(spec), str(dict(spec.settings)[TENSOR]))

    def _place(self, digest: str) -> Path:
        return self.folder / f"{digest[:32]}.tensors"
