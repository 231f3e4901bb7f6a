"""The requests that write: objects first, then a commit that names them."""

from __future__ import annotations

import base64
import json
from fnmatch import fnmatch
from typing import Any

from tests.hub.answers import Answer, Asked, may_write, no, writable, yes
from tests.hub.hub import Hub
from tests.hub.repositories import Repository, git_id, is_object, sha256


def create(hub: Hub, asked: Asked) -> Answer:
    name = f"{asked.json['organization']}/{asked.json['name']}"
    if not may_write(hub, asked, name):
        return no(403, f'You don\'t have the rights to create a model under the namespace "{name.split("/")[0]}"')
    if name in hub.repositories:
        return no(409, "You already created this model repo")
    hub.repositories[name] = Repository(name, private=asked.json.get("visibility") == "private")
    return yes({"url": f"{hub.endpoint}/{name}", "name": name})


def preupload(hub: Hub, asked: Asked, name: str, revision: str) -> Answer:
    found = writable(hub, asked, name)
    if isinstance(found, Answer):
        return found
    rules = asked.json.get("gitIgnore", found.head.files.get(".gitignore", b"").decode()).split()
    files = [_mode(file["path"], file["size"], found.head.files.get(file["path"])) for file in asked.json["files"]]
    ignored = ({"shouldIgnore": any(fnmatch(file["path"], rule) for rule in rules)} for file in files)
    return yes({"files": [file | ignore for file, ignore in zip(files, ignored, strict=True)]})


def _mode(path: str, size: int, there: bytes | None) -> dict[str, Any]:
    """How a file is to be sent, and what the repository has under its name."""
    large = is_object(path, size)
    oid = None if there is None else sha256(there) if large else git_id(there)
    return {"path": path, "uploadMode": "lfs" if large else "regular", "oid": oid}


def batch(hub: Hub, asked: Asked, name: str) -> Answer:
    found = writable(hub, asked, name)
    if isinstance(found, Answer):
        return found
    return yes({"transfer": "basic", "objects": [_order(hub, found, each) for each in asked.json["objects"]]})


def _order(hub: Hub, repository: Repository, wanted: dict[str, Any]) -> dict[str, Any]:
    """What to do about an object: nothing, where it is here."""
    if wanted["oid"] in repository.objects:
        return wanted
    upload = {"href": f"{hub.endpoint}/lfs/{repository.name}/{wanted['oid']}"}
    verify = {"href": f"{hub.endpoint}/{repository.name}.git/info/lfs/objects/verify"}
    return wanted | {"actions": {"upload": upload, "verify": verify}}


def upload(hub: Hub, asked: Asked, name: str, oid: str) -> Answer:
    if sha256(asked.body) != oid:
        return no(400, "content and digest differ")
    hub.repositories[name].objects[oid] = asked.body
    return Answer(200)


def verify(hub: Hub, asked: Asked, name: str) -> Answer:
    data = hub.repositories[name].objects.get(asked.json["oid"])
    return Answer(200) if data is not None and len(data) == asked.json["size"] else no(404, "no such object")


def commit(hub: Hub, asked: Asked, name: str, revision: str) -> Answer:
    found = writable(hub, asked, name)
    if isinstance(found, Answer):
        return found
    lines = [json.loads(line) for line in asked.body.splitlines()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    if header.get("parentCommit") not in (None, found.head.oid):
        return no(412, "A commit has happened since. Please refresh and try again.")
    files = dict(found.head.files)
    for line in lines:
        refused = _change(found, files, line["key"], line["value"])
        if refused is not None:
            return refused
    commit = found.commit(files, header["summary"], revision)
    return yes({"commitUrl": f"{hub.endpoint}/{name}/commit/{commit.oid}", "commitOid": commit.oid, "success": True})


def _change(repository: Repository, files: dict[str, bytes], key: str, value: dict[str, Any]) -> Answer | None:
    """Do one line of a commit."""
    if key == "file":
        files[value["path"]] = base64.b64decode(value["content"])
    elif key == "lfsFile":
        if value["oid"] not in repository.objects:
            return no(400, f"Your push was rejected: the object of {value['path']} was never uploaded")
        files[value["path"]] = repository.objects[value["oid"]]
    elif key == "deletedFile" and files.pop(value["path"], None) is None:
        return no(404, "A file with this name doesn't exist", "EntryNotFound")
    return None
