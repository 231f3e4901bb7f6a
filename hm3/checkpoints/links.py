"""Links in a checkpoint's folder: nobody's private files are read, and exported, in the place of a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hm3.checkpoints.reading import RefusedError

BLOBS = "blobs"  # where the Hub's cache keeps what the links of its snapshots lead to


def check_links(files: Sequence[Path]) -> None:
    """See that texts are files of their own folder, or of the Hub's cache; weights may be links to anywhere.

    Weights are found to be safetensors, whole, before they are used; a text could be anything.

    Raises:
        RefusedError: One is a link that leads elsewhere.
    """
    for file in files:
        if file.is_symlink():
            target = file.resolve()
            if target.parent != file.parent.resolve() and target.parent.name != BLOBS:
                raise RefusedError(f"{file.name}: a file of this folder, got a link to {target}")
