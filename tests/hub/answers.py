"""Requests, answers, and who may see or change what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.hub.hub import Hub
from tests.hub.repositories import Commit, Repository


@dataclass(frozen=True)
class Asked:
    """A request; its path is as it came, with percent signs: a revision may have a slash in it."""

    method: str
    path: str
    body: bytes
    token: str | None
    range: str | None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def yes(value: Any) -> Answer:
    return Answer(200, json.dumps(value).encode())


def no(status: int, message: str, code: str = "") -> Answer:
    headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
    return Answer(status, json.dumps({"error": message}).encode(), headers)


def may_write(hub: Hub, asked: Asked, name: str) -> bool:
    return name.split("/")[0] in hub.accounts.get(asked.token or "", ())


def find(hub: Hub, asked: Asked, name: str) -> Repository | Answer:
    """A repository that the caller may read; the Hub doesn't tell the unknown that one exists."""
    found = hub.repositories.get(name)
    if found is None or (found.private and not may_write(hub, asked, name)):
        return no(404 if asked.token else 401, "Repository not found", "RepoNotFound")
    return found


def state(hub: Hub, asked: Asked, name: str, revision: str) -> tuple[Repository, Commit] | Answer:
    found = find(hub, asked, name)
    if isinstance(found, Answer):
        return found
    commit = found.at(revision)
    return (found, commit) if commit else no(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def writable(hub: Hub, asked: Asked, name: str) -> Repository | Answer:
    found = find(hub, asked, name)
    if isinstance(found, Answer) or may_write(hub, asked, name):
        return found
    message = f"You don't have the rights to write to {name}"
    return no(403 if asked.token else 401, message if asked.token else "Invalid username or password.")
