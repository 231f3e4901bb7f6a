"""Before the push: whether it can be, and the folder that is pushed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hm3.checkpoints import scratch_folder
from hm3.checks import path
from hm3.errors import ConfigurationError
from hm3.publishing.publication import Publication


def planned(repository: str | None, *, private: bool, overwrite: bool = False) -> Publication | None:
    """The publication that is asked for, if any, checked: see `Publication.check`."""
    if repository is None:
        return None
    publication = Publication(repository, private, overwrite)
    publication.check()
    return publication


@contextmanager
def model_target(out: object, publication: Publication | None) -> Iterator[Path]:
    """Yield the folder to be; without a name, one that is gone when the block ends.

    Args:
        out: The folder as stated, or None.
        publication: Of the model; without one, the folder must be stated.

    Raises:
        ConfigurationError: It is not stated, or no path.
        OutputError: Nothing can be written where the command was called.
    """
    if out is not None:
        yield path("out", out)
    elif publication is None:
        raise ConfigurationError("out: needs a value, out=..., got none")
    else:
        name = publication.repository.rpartition("/")[2]
        with scratch_folder(Path(name)) as folder:
            yield folder / name
