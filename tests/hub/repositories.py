"""What a hub keeps of one model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ATTRIBUTES = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
REGULAR = 100_000  # bytes from which a file is kept as an object, whatever its name


@dataclass(frozen=True)
class Commit:
    """A state of a repository: its id, the files, what was said about it."""

    oid: str
    files: Mapping[str, bytes]
    title: str


@dataclass
class Repository:
    """A model's repository.

    Attributes:
        name: ``org/name``.
        private: Whether only those who may write may read.
        gated: Whether files need an agreement that nobody has given.
        commits: All states, oldest first.
        branches: Name -> commit.
        objects: Large files by digest, also those that no commit has taken yet.
    """

    name: str
    private: bool = False
    gated: bool = False
    commits: list[Commit] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.commit({".gitattributes": ATTRIBUTES}, "initial commit")

    @property
    def head(self) -> Commit:
        """What ``main`` shows."""
        return self.commits[-1]

    def commit(self, files: Mapping[str, bytes], title: str, branch: str = "main") -> Commit:
        """Add a state that holds exactly `files`."""
        content = sorted((path, hashlib.sha256(data).hexdigest()) for path, data in files.items())
        oid = hashlib.sha1(f"{self.name}{len(self.commits)}{content}".encode()).hexdigest()
        self.commits.append(Commit(oid, dict(files), title))
        self.branches[branch] = oid
        return self.commits[-1]

    def at(self, revision: str) -> Commit | None:
        """The state that a branch, a tag or a commit names."""
        oid = self.branches.get(revision, revision)
        return next((commit for commit in self.commits if commit.oid == oid), None)


def is_object(path: str, size: int) -> bool:
    """Whether a file is kept as a large object instead of in git."""
    return size > 0 and (path.endswith(".safetensors") or size >= REGULAR)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_id(data: bytes) -> str:
    """The id that git gives to a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def entry(path: str, data: bytes) -> dict[str, Any]:
    """A file as the tree lists it."""
    plain = {"type": "file", "path": path, "size": len(data), "oid": git_id(data)}
    if not is_object(path, len(data)):
        return plain
    return plain | {"lfs": {"oid": sha256(data), "size": len(data), "pointerSize": 134}}
