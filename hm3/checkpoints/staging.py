"""One folder, all or nothing: built beside its target under a telling name, then renamed.

A folder in the making is called ``.<target>.partial-<random>`` and locked by its builder. The lock ends with the
process, however it ends, so the next write to the same target knows what is stale and removes it.
"""

from __future__ import annotations

import fcntl
import glob
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from hm3.checkpoints.atomic import sync
from hm3.errors import OutputError
from hm3.recipe.files import RECIPE

Existing = Literal["refuse", "replace", "keep"]
OURS = (RECIPE, "merge.json")  # a folder with one of these was written by HM3 and may be replaced


@contextmanager
def staged_folder(target: Path, *, existing: Existing = "refuse", sources: Sequence[Path] = ()) -> Iterator[Path]:
    """Yield an empty folder; when the block ends well it is `target`, otherwise nothing is left of it.

    Args:
        target: The folder to be; its parents are made if need be.
        existing: What to do with a target that exists: refuse; replace it, if HM3 wrote it; or keep it, for content
            that is the same whoever builds it first. An empty folder counts as none.
        sources: Folders that must not be touched.

    Raises:
        OutputError: The target must not or cannot be written.
    """
    target = Path(target).expanduser().absolute()
    try:
        check_target(target, existing=existing, sources=sources)
        remove_stale(target)
        folder, lock = _locked_folder(target)
        try:
            yield folder
            _commit(folder, target, existing)
        except OutputError as error:  # nobody has heard of the folder in the making
            raise OutputError(str(error).replace(str(folder), str(target))) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
    except OSError as error:
        raise OutputError(f"output {target}: must be writable, got {error.strerror or error}") from error


@contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target`, whatever that is; when the block ends, however it ends, it is gone.

    What a killed process leaves is removed by the next that asks for the same target.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        remove_stale(target)
        folder, lock = _locked_folder(target)
    except OSError as error:
        raise OutputError(f"output {target}: must be writable, got {error.strerror or error}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """While the block runs, no other process works in `folder` (that asks in the same way).

    Raises:
        OutputError: Another process does.
    """
    lock = _try_lock(folder)
    if lock is None:
        raise OutputError(f"run folder: one that no other process works in, got {folder}")
    try:
        yield
    finally:
        os.close(lock)


def check_target(target: Path, *, existing: Existing, sources: Sequence[Path]) -> None:
    """Refuse a target that would destroy something.

    Raises:
        OutputError: It exists and is not to be replaced, or it overlaps a source.
    """
    for source in sources:
        mine, other = target.resolve(), Path(source).expanduser().resolve()
        if mine == other or mine in other.parents or other in mine.parents:
            raise OutputError(f"output {target}: neither in, at nor above a source, got the source {source}")
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError(f"output {target}: a new folder, got a file or link there")
    if existing == "keep" or not target.exists() or not any(target.iterdir()):
        return
    if existing == "refuse":
        raise OutputError(f"output {target}: a new folder, got one with content (say to overwrite it, or name another)")
    if not any((target / name).is_file() for name in OURS):
        raise OutputError(f"output {target}: only what HM3 wrote is overwritten, got a folder without {OURS[0]}")


def remove_stale(target: Path) -> None:
    """Remove what killed builders of `target` left."""
    for folder in target.parent.glob(f".{glob.escape(target.name)}.partial-*"):
        if folder.is_dir() and (lock := _try_lock(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _locked_folder(target: Path) -> tuple[Path, int]:
    target.parent.mkdir(parents=True, exist_ok=True)
    while True:
        folder = target.with_name(f".{target.name}.partial-{secrets.token_hex(4)}")
        folder.mkdir()
        lock = _try_lock(folder)
        if lock is not None and folder.exists():
            return folder, lock
        if lock is not None:  # another process took the new folder for a stale one, between the two lines above
            os.close(lock)


def _try_lock(folder: Path) -> int | None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _commit(folder: Path, target: Path, existing: Existing) -> None:
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
    if existing == "keep" and target.exists() and any(target.iterdir()):
        return
    if existing == "replace" and target.exists():
        _exchange(folder, target)
    else:
        _take_place(folder, target, first_wins=existing == "keep")
    sync(target.parent)


def _take_place(folder: Path, target: Path, *, first_wins: bool) -> None:
    try:
        folder.rename(target)
    except OSError:
        if not first_wins or not target.is_dir():
            raise  # otherwise another process was first, with the same content


def _exchange(folder: Path, target: Path) -> None:
    retired = target.with_name(f".{target.name}.partial-{secrets.token_hex(4)}")
    target.rename(retired)
    try:
        folder.rename(target)
    except OSError:
        retired.rename(target)
        raise
    shutil.rmtree(retired, ignore_errors=True)
