"""The evaluation store: what stacks scored, by content. Shared by processes, runs and resumes."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from hm3.errors import OutputError
from hm3.evaluation.tasks import Measures

VERSION = 1  # of the table and of the numbers in it: raised whenever a score could come out differently
_MAGIC, _SMALLEST = b"SQLite format 3\0", 512  # what every SQLite file begins with, and its smallest size
_PATIENCE = 60.0  # seconds to wait for others
_TABLE = "CREATE TABLE IF NOT EXISTS measures (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
_DAMAGED = (sqlite3.Error, UnicodeDecodeError)  # the second where its own message quotes what is damaged


class EvaluationStore:
    """Measures by key in a SQLite file in WAL mode: many readers and writers at once do no harm.

    A key is a digest of everything that decides the value (recipe, items, metric settings, dtype); names and paths are
    no part of it.

    Args:
        path: The file; made if need be.

    Raises:
        OutputError: The file cannot be opened, is no store, or belongs to another version, which is left alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _check_kind(path)
            self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise self._refusal(error) from error
        try:
            self._prepare()
        except _DAMAGED as error:
            self.close()
            raise self._refusal(error) from error
        except OutputError:
            self.close()
            raise

    def _prepare(self) -> None:
        """Make the table; all in transactions, because others may do the same at the same time."""
        self._check_version("BEGIN")  # nothing is written to a file that isn't ours
        self._write_ahead()
        self._connection.execute("PRAGMA synchronous=NORMAL")
        with self._connection:
            self._check_version("BEGIN IMMEDIATE")
            self._connection.execute(f"PRAGMA user_version={VERSION}")
            self._connection.execute(_TABLE)

    def _write_ahead(self) -> None:
        """Switch to WAL mode; SQLite's own timeout doesn't hold for that while others open the file too."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def _check_version(self, begin: str) -> None:
        self._connection.execute(begin)
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        empty = not self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version != VERSION and not empty:
            raise OutputError(f"evaluator.store: version {VERSION}, got version {version} in {self.path}; left alone")
        if begin == "BEGIN":
            self._connection.execute("COMMIT")

    def _refusal(self, error: Exception) -> OutputError:
        return OutputError(f"evaluator.store: a writable SQLite file, got {self.path}: {error}")

    def __enter__(self) -> EvaluationStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._connection.close()

    def read(self, keys: Sequence[str]) -> dict[str, Measures]:
        """The measures of those `keys` that are known.

        Raises:
            OutputError: The file is damaged.
        """
        found: dict[str, Measures] = {}
        for start in range(0, len(keys), 500):  # SQLite limits the number of parameters
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            try:
                rows = self._connection.execute(f"SELECT key, value FROM measures WHERE key IN ({marks})", part)  # noqa: S608
                known = {key: json.loads(zlib.decompress(value)) for key, value in rows}
            except (*_DAMAGED, zlib.error, TypeError, ValueError) as error:
                raise self._refusal(error) from error
            found.update((key, known[key]) for key in part if key in known)  # a damaged key may match another
        return found

    def write(self, measures: Mapping[str, Measures]) -> None:
        """Keep measures, all or none; what is there already stays as it is.

        Raises:
            OutputError: The file cannot be written to: no space, say.
        """
        rows: Iterable[tuple[str, bytes]] = (
            (key, zlib.compress(json.dumps(value).encode(), level=1)) for key, value in measures.items()
        )
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("INSERT OR IGNORE INTO measures VALUES (?, ?)", list(rows))
        except _DAMAGED as error:
            raise self._refusal(error) from error


def _check_kind(path: Path) -> None:
    """SQLite itself takes a few bytes of anything for an empty file, and writes over them."""
    if path.is_file():
        with path.open("rb") as stream:
            head = stream.read(len(_MAGIC))
        if head not in (b"", _MAGIC) or 0 < path.stat().st_size < _SMALLEST:
            raise OutputError(f"evaluator.store: a SQLite file, got {path}, which is something else; left alone")
