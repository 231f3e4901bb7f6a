"""Merges that a bench knows for as long as they are judged: one at a time, in memory or in a temporary folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from hm3.checkpoints import Checkpoint, remove_stale, scratch_folder
from hm3.evaluation import BenchmarkEvaluator
from hm3.parameter import Watch, fill_merge, merge_in_memory, named_sources, unwatched
from hm3.recipe import Recipe, Source
from hm3.workbench import Workbench


class Guests(Protocol):
    """A way to keep a merge while it is judged."""

    def __call__(
        self, bench: Workbench, source: Source, parents: Mapping[str, Checkpoint], watch: Watch
    ) -> AbstractContextManager[None]:
        """While the block runs, the bench knows the merge; `watch` has been shown all of its tensors by then.

        Args:
            bench: Judges.
            source: The merge.
            parents: Name of a source -> the source, for all that the merge is made of.
            watch: Is shown every tensor when it is made.
        """
        ...


@contextmanager
def in_memory(bench: Workbench, source: Source, parents: Mapping[str, Checkpoint], watch: Watch) -> Iterator[None]:
    """The merge is in memory alone; whatever is packed for the forward is held in that form only."""
    model = merge_in_memory(source, parents, watch)
    model.hold()
    with bench.guest(model):
        yield


@contextmanager
def in_folder(bench: Workbench, source: Source, parents: Mapping[str, Checkpoint], watch: Watch) -> Iterator[None]:
    """The merge lies in a temporary folder; what is resident of it is under the bench's budget."""
    assert source.merge is not None
    with scratch_folder(_scratch()) as folder:
        fill_merge(folder, source.merge, parents, watch)
        with bench.guest(Checkpoint.open(source.name, folder, merge=source.merge)):
            yield


def guests_of(bench: Workbench) -> Guests:
    """The way for a bench: under a budget of resident weights, what is given up must be found again in a file."""
    return in_memory if bench.machine.bank_bytes is None else in_folder


@contextmanager
def judgeable(
    bench: Workbench, recipe: Recipe, splits: Iterable[BenchmarkEvaluator], watch: Watch = unwatched
) -> Iterator[bool]:
    """While the block runs, a merge can be judged on some splits; what the store knows isn't made for it.

    Args:
        bench: Judges; it must know the merge's parents.
        recipe: The merge as a stack of its own layers.
        splits: Where it is judged.
        watch: Is shown every tensor when it is made.

    Yields:
        Whether the merge was made, and `watch` has been shown all of it.

    Raises:
        ConfigurationError: A source that it is made of isn't among the bench's.
        CheckpointError: It is another than the merge names, or the sources differ in shape.
    """
    (source,) = recipe.sources
    assert source.merge is not None
    if bench.holds(source) or all(split.knows(recipe) for split in splits):
        yield False
        return
    with guests_of(bench)(bench, source, named_sources(source.merge, bench.checkpoints), watch):
        yield True


def remove_leftovers() -> None:
    """Remove the temporary folders of processes that were killed."""
    remove_stale(_scratch())


def _scratch() -> Path:
    return Path(tempfile.gettempdir()) / "hm3-merge"
