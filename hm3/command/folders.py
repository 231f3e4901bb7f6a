"""Where a run's folder is: a new one, or the one of the run that goes on. Used by ``hydra`` in ``conf/``."""

from __future__ import annotations

from pathlib import Path

from omegaconf import OmegaConf


def register() -> None:
    """Make ``${hm3.folder:…}`` and ``${hm3.kept:…}`` known to OmegaConf."""
    OmegaConf.register_new_resolver("hm3.folder", _folder, replace=True)
    OmegaConf.register_new_resolver("hm3.kept", _kept, replace=True)


def _folder(resume: object, new: str) -> str:
    """The run folder."""
    return new if resume is None else str(resume)


def _kept(resume: object, name: str) -> str | None:
    """Where Hydra writes its files: nowhere in the folder of a run that was begun, which has them."""
    begun = resume is not None and (Path(str(resume)) / "start.json").is_file()
    return None if begun else name
