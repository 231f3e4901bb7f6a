"""Merged sources on disk, each built once and found by what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hm3.checkpoints import Checkpoint, staged_folder
from hm3.parameter.merging import fill_merge, open_sources
from hm3.parameter.pareto.kept import KeptTensors
from hm3.parameter.pareto.tensor import ParetoTensor
from hm3.parameter.planning import read_sources
from hm3.recipe import MergeSpec, Source


class MergeCache:
    """A folder of merged sources, one for each specification; shared by runs and processes.

    Two processes that build the same merge at once both finish, and one result stays. A build that is killed leaves
    nothing that counts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder).expanduser()
        self.tensors = KeptTensors(self.folder / "tensors")

    def get(self, spec: MergeSpec, paths: Mapping[str, Path]) -> Path:
        """The merge's folder, built if it is not there.

        Args:
            spec: The merge.
            paths: Name of a source -> its folder; those of `missing` must have one.

        Raises:
            CheckpointError: A source cannot be used, or is not the one that the specification names.
            OutputError: The folder cannot be written.
        """
        target = self.path(spec)
        if target.exists():
            return target
        checkpoints = open_sources(spec, {**self._merged_parents(spec, paths), **paths})
        folders = [checkpoint.path for checkpoint in checkpoints.values()]
        with staged_folder(target, existing="keep", sources=folders) as folder:
            fill_merge(folder, spec, checkpoints, kept=self.tensors)
        return target

    def open(self, source: Source, given: Mapping[str, Checkpoint]) -> Checkpoint:
        """A merged source as a checkpoint, built if it is not there.

        Args:
            source: Made by a merge.
            given: Name -> checkpoint of what merges are made of.

        Raises:
            CheckpointError: One of these cannot be used, or is not the one that the specification names.
            OutputError: The folder cannot be written.
        """
        assert source.merge is not None
        folder = self.get(source.merge, {name: checkpoint.path for name, checkpoint in given.items()})
        return Checkpoint.open(source.name, folder, merge=source.merge)

    def missing(self, source: Source) -> tuple[Source, ...]:
        """What must be given to open a source: itself, or what its merge is built from; nothing where that is kept."""
        if source.merge is None:
            return (source,)
        if self.path(source.merge).exists():
            return ()
        return tuple(each for part in read_sources(source.merge) for each in self.missing(part))

    def path(self, spec: MergeSpec) -> Path:
        """Where the merge lies, or will."""
        return self.folder / spec.digest[:32]

    def keep_tensor(self, tensor: ParetoTensor) -> Path:
        """Keep a tensor of Pareto Merging, so that its merges can be built; its file.

        Raises:
            OutputError: It cannot be written.
        """
        return self.tensors.keep(tensor)

    def tensor_file(self, spec: MergeSpec) -> Path:
        """The file of the tensor that a merge by Pareto Merging needs.

        Raises:
            CheckpointError: It is not kept.
        """
        return self.tensors.file(spec)

    def _merged_parents(self, spec: MergeSpec, paths: Mapping[str, Path]) -> dict[str, Path]:
        parents = [parent for parent in read_sources(spec) if parent.name not in paths]
        return {parent.name: self.get(parent.merge, paths) for parent in parents if parent.merge}
