"""What a hub keeps, whom it knows, what was asked of it and what it shall do wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hub.faults import Fault
from tests.hub.repositories import Repository

TOKEN = "hf_canaryCANARYcanaryCANARYcanary42"


@dataclass(frozen=True)
class Request:
    """What was asked: method, path, bytes of the body that came."""

    method: str
    path: str
    received: int


@dataclass
class Hub:
    """A hub's state; everything may be looked at and changed while it serves.

    Attributes:
        endpoint: Its address, ``http://127.0.0.1:PORT``.
        accounts: Token -> namespaces in which it may write.
        repositories: By ``org/name``.
        requests: What was asked, in order.
        faults: What goes wrong; the first that meets a request counts.
    """

    endpoint: str = ""
    accounts: dict[str, tuple[str, ...]] = field(default_factory=lambda: {TOKEN: ("tester", "org")})
    repositories: dict[str, Repository] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _open: int = 0
    _quiet: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """A request is being served while the block runs."""
        with self._quiet:
            self._open += 1
        try:
            yield
        finally:
            with self._quiet:
                self._open -= 1
                self._quiet.notify_all()

    def add(self, name: str, files: Path | Mapping[str, bytes], **settings: Any) -> Repository:
        """Make a model of a folder's files, or of names and contents."""
        content = _read(files) if isinstance(files, Path) else files
        repository = Repository(name, **settings)
        repository.commit({**repository.head.files, **content}, "add model")
        self.repositories[name] = repository
        return repository

    def fail(self, method: str, path: str, **what: Any) -> Fault:
        """Let requests go wrong from now on; see `Fault`."""
        self.faults.append(Fault(method, path, **what))
        return self.faults[-1]

    def sent(self, path: str = "/lfs/", method: str = "PUT") -> list[int]:
        """The bytes of every body that came to a path: uploads of large files."""
        return [each.received for each in self.requests if each.method == method and path in each.path]

    def forget(self) -> None:
        """Let nothing go wrong any more, and count requests anew, once those of clients that are gone have ended."""
        with self._quiet:
            assert self._quiet.wait_for(lambda: not self._open, 30), "a request never ended"
        self.faults.clear()
        self.requests.clear()

    def environment(self, scratch: Path, token: str | None = TOKEN) -> dict[str, str]:
        """What a process needs to take this for the Hub; caches and login are below `scratch`."""
        known = {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(scratch / "huggingface"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HM3_CACHE": str(scratch / "hm3"),
        }
        return known if token is None else known | {"HF_TOKEN": token}


def _read(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
