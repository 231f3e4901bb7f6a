"""Merged sources on disk, each built once and found by what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hm3.checkpoints import staged_folder
from hm3.parameter.merging import fill_merge, open_sources
from hm3.recipe import MergeSpec


class MergeCache:
    """A folder of merged sources, one for each specification; shared by runs and processes.

    Two processes that build the same merge at once both finish, and one result stays. A build that is killed leaves
    nothing that counts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder).expanduser()

    def get(self, spec: MergeSpec, paths: Mapping[str, Path]) -> Path:
        """The merge's folder, built if it is not there.

        Args:
            spec: The merge.
            paths: Name of a source -> its folder; parents that are merges themselves need none.

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
            fill_merge(folder, spec, checkpoints)
        return target

    def path(self, spec: MergeSpec) -> Path:
        """Where the merge lies, or will."""
        return self.folder / spec.digest[:32]

    def _merged_parents(self, spec: MergeSpec, paths: Mapping[str, Path]) -> dict[str, Path]:
        parents = [parent for parent in spec.parents if parent.name not in paths]
        return {parent.name: self.get(parent.merge, paths) for parent in parents if parent.merge}
