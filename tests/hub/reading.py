"""The requests that read."""

from __future__ import annotations

import json
import re

import yaml

from tests.hub.answers import Answer, Asked, no, state, yes
from tests.hub.hub import Hub
from tests.hub.repositories import entry, git_id, is_object, sha256


def whoami(hub: Hub, asked: Asked) -> Answer:
    if asked.token is None:
        return no(401, "Invalid username or password.")
    user, *organisations = hub.accounts[asked.token]
    return yes({"type": "user", "name": user, "orgs": [{"name": each} for each in organisations]})


def info(hub: Hub, asked: Asked, name: str, revision: str | None = None) -> Answer:
    found = state(hub, asked, name, revision or "main")
    if isinstance(found, Answer):
        return found
    repository, commit = found
    files = [{"rfilename": path} for path in commit.files]
    return yes({"id": name, "sha": commit.oid, "private": repository.private, "siblings": files, "tags": []})


def tree(hub: Hub, asked: Asked, name: str, revision: str, folder: str | None = None) -> Answer:
    found = state(hub, asked, name, revision)
    if isinstance(found, Answer):
        return found
    files = [
        entry(path, data) for path, data in found[1].files.items() if path.startswith(f"{folder}/" if folder else "")
    ]
    return yes(files) if files or folder is None else no(404, f"{folder} does not exist", "EntryNotFound")


def resolve(hub: Hub, asked: Asked, name: str, revision: str, file: str) -> Answer:
    found = state(hub, asked, name, revision)
    if isinstance(found, Answer):
        return found
    repository, commit = found
    if repository.gated:
        return no(403 if asked.token else 401, f"Access to model {name} is restricted.", "GatedRepo")
    if file not in commit.files:
        return no(404, "Entry not found", "EntryNotFound")
    data = commit.files[file]
    etag = sha256(data) if is_object(file, len(data)) else git_id(data)
    headers = {
        "ETag": f'"{etag}"',
        "X-Repo-Commit": commit.oid,
        "X-Linked-Size": str(len(data)),
        "Accept-Ranges": "bytes",
    }
    if asked.range is None:
        return Answer(200, data, headers)
    first, last = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.range).groups()  # type: ignore[union-attr]
    part = data[int(first) : int(last) + 1 if last else None]
    return Answer(206, part, headers | {"Content-Range": f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"})


def validate(hub: Hub, asked: Asked) -> Answer:
    """The Hub's rules for front matter that concern us."""
    try:
        head = yaml.safe_load(asked.json["content"].split("---\n")[1])
        results = [each for model in head.get("model-index", []) for each in model["results"]]
        assert all({"task", "dataset", "metrics"} <= set(each) for each in results), "a result without its parts"
        assert head.get("license") != "other" or head.get("license_name"), "license_name is missing"
    except (AssertionError, IndexError, KeyError, TypeError, yaml.YAMLError) as error:
        return Answer(400, json.dumps({"errors": [{"message": f"{type(error).__name__}: {error}"}]}).encode())
    return yes({"errors": [], "warnings": []})
