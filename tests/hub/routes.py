"""The Hub's API, as far as it is used here: which request is for what."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from tests.hub import reading, writing
from tests.hub.answers import Answer, Asked, no
from tests.hub.hub import Hub

_ID = r"(?P<name>[\w.-]+/[\w.-]+)"


def answer(hub: Hub, asked: Asked) -> Answer:
    """What the Hub says."""
    if asked.token is not None and asked.token not in hub.accounts:
        return no(401, "Invalid credentials in Authorization header")
    for method, pattern, route in _ROUTES:
        if asked.method in method and (match := re.fullmatch(pattern, asked.path)):
            named = {key: text and unquote(text) for key, text in match.groupdict().items()}
            return route(hub, asked, **named)
    return no(404, "Sorry, we can't find the page you are looking for.")


_ROUTES:
        if asked.method in method and (match := re.fullmatch(pattern, asked.path)):
            named = {key: text and unquote(text) for key, text in match.groupdict().items()}
            return route(hub, asked, **named)
    return _no(404, "Sorry, we can't find the page you are looking for.")


def _yes(value: Any) -> Answer:
    return Answer(200, json.dumps(value).encode())


def _no(status: int, message: str, code: str = "") -> Answer:
    headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
    return Answer(status, json.dumps({"error": message}).encode(), headers)


def _may_write(hub: Hub, asked: Asked, name: str) -> bool:
    return name.split("/")[0] in hub.accounts.get(asked.token or "", ())


def _find(hub: Hub, asked: Asked, name: str) -> Repository | Answer:
    """A repository that the caller may read; the Hub doesn't tell the unknown that one exists."""
    found = hub.repositories.get(name)
    if found is None or (found.private and not _may_write(hub, asked, name)):
        return _no(404 if asked.token else 401, "Repository not found", "RepoNotFound")
    return found


def _state(hub: Hub, asked: Asked, name: str, revision: str) -> tuple[Repository, Commit] | Answer:
    found = _find(hub, asked, name)
    if isinstance(found, Answer):
        return found
    commit = found.at(revision)
    return (found, commit) if commit else _no(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def _writable(hub: Hub, asked: Asked, name: str) -> Repository | Answer:
    found = _find(hub, asked, name)
    if isinstance(found, Answer) or _may_write(hub, asked, name):
        return found
    message = f"You don't have the rights to write to {name}"
    return _no(403 if asked.token else 401, message if asked.token else "Invalid username or password.")


def _whoami(hub: Hub, asked: Asked) -> Answer:
    if asked.token is None:
        return _no(401, "Invalid username or password.")
    user, *organisations = hub.accounts[asked.token]
    return _yes({"type": "user", "name": user, "orgs": [{"name": each} for each in organisations]})


def _create(hub: Hub, asked: Asked) -> Answer:
    name = f"{asked.json['organization']}/{asked.json['name']}"
    if not _may_write(hub, asked, name):
        return _no(403, f'You don\'t have the rights to create a model under the namespace "{name.split("/")[0]}"')
    if name in hub.repositories:
        return _no(409, "You already created this model repo")
    hub.repositories[name] = Repository(name, private=asked.json.get("visibility") == "private")
    return _yes({"url": f"{hub.endpoint}/{name}", "name": name})


def _info(hub: Hub, asked: Asked, name: str, revision: str | None = None) -> Answer:
    state = _state(hub, asked, name, revision or "main")
    if isinstance(state, Answer):
        return state
    repository, commit = state
    files = [{"rfilename": path} for path in commit.files]
    return _yes({"id": name, "sha": commit.oid, "private": repository.private, "siblings": files, "tags": []})


def _tree(hub: Hub, asked: Asked, name: str, revision: str, folder: str | None = None) -> Answer:
    state = _state(hub, asked, name, revision)
    if isinstance(state, Answer):
        return state
    files = [
        entry(path, data) for path, data in state[1].files.items() if path.startswith(f"{folder}/" if folder else "")
    ]
    return _yes(files) if files or folder is None else _no(404, f"{folder} does not exist", "EntryNotFound")


def _resolve(hub: Hub, asked: Asked, name: str, revision: str, file: str) -> Answer:
    state = _state(hub, asked, name, revision)
    if isinstance(state, Answer):
        return state
    repository, commit = state
    if repository.gated:
        return _no(403 if asked.token else 401, f"Access to model {name} is restricted.", "GatedRepo")
    if file not in commit.files:
        return _no(404, "Entry not found", "EntryNotFound")
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


def _preupload(hub: Hub, asked: Asked, name: str, revision: str) -> Answer:
    found = _writable(hub, asked, name)
    if isinstance(found, Answer):
        return found
    files = found.head.files
    return _yes({"files": [_mode(file["path"], file["size"], files.get(file["path"])) for file in asked.json["files"]]})


def _mode(path: str, size: int, there: bytes | None) -> dict[str, Any]:
    """How a file is to be sent, and what the repository has under its name."""
    large = is_object(path, size)
    oid = None if there is None else sha256(there) if large else git_id(there)
    return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": oid}


def _batch(hub: Hub, asked: Asked, name: str) -> Answer:
    found = _writable(hub, asked, name)
    if isinstance(found, Answer):
        return found
    return _yes({"transfer": "basic", "objects": [_order(hub, found, each) for each in asked.json["objects"]]})


def _order(hub: Hub, repository: Repository, wanted: dict[str, Any]) -> dict[str, Any]:
    """What to do about an object: nothing, where it is here."""
    if wanted["oid"] in repository.objects:
        return wanted
    upload = {"href": f"{hub.endpoint}/lfs/{repository.name}/{wanted['oid']}"}
    verify = {"href": f"{hub.endpoint}/{repository.name}.git/info/lfs/objects/verify"}
    return wanted | {"actions": {"upload": upload, "verify": verify}}


def _upload(hub: Hub, asked: Asked, name: str, oid: str) -> Answer:
    if sha256(asked.body) != oid:
        return _no(400, "content and digest differ")
    hub.repositories[name].objects[oid] = asked.body
    return Answer(200)


def _verify(hub: Hub, asked: Asked, name: str) -> Answer:
    data = hub.repositories[name].objects.get(asked.json["oid"])
    return Answer(200) if data is not None and len(data) == asked.json["size"] else _no(404, "no such object")


def _commit(hub: Hub, asked: Asked, name: str, revision: str) -> Answer:
    found = _writable(hub, asked, name)
    if isinstance(found, Answer):
        return found
    lines = [json.loads(line) for line in asked.body.splitlines()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    if header.get("parentCommit") not in (None, found.head.oid):
        return _no(412, "A commit has happened since. Please refresh and try again.")
    files = dict(found.head.files)
    for line in lines:
        refused = _change(found, files, line["key"], line["value"])
        if refused is not None:
            return refused
    commit = found.commit(files, header["summary"], revision)
    return _yes({"commitUrl": f"{hub.endpoint}/{name}/commit/{commit.oid}", "commitOid": commit.oid, "success": True})


def _change(repository: Repository, files: dict[str, bytes], key: str, value: dict[str, Any]) -> Answer | None:
    """Do one line of a commit."""
    if key == "file":
        files[value["path"]] = base64.b64decode(value["content"])
    elif key == "lfsFile":
        if value["oid"] not in repository.objects:
            return _no(400, f"Your push was rejected: the object of {value['path']} was never uploaded")
        files[value["path"]] = repository.objects[value["oid"]]
    elif key == "deletedFile" and files.pop(value["path"], None) is None:
        return _no(404, "A file with this name doesn't exist", "EntryNotFound")
    return None


def _validate(hub: Hub, asked: Asked) -> Answer:
    """The Hub's rules for front matter that concern us."""
    try:
        head = yaml.safe_load(asked.json["content"].split("---\n")[1])
        results = [each for model in head.get("model-index", []) for each in model["results"]]
        assert all({"task", "dataset", "metrics"} <= set(each) for each in results), "a result without its parts"
        assert head.get("license") != "other" or head.get("license_name"), "license_name is missing"
    except (AssertionError, IndexError, KeyError, TypeError, yaml.YAMLError) as error:
        return Answer(400, json.dumps({"errors": [{"message": f"{type(error).__name__}: {error}"}]}).encode())
    return _yes({"errors": [], "warnings": []})


_ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/api/whoami-v2", reading.whoami),
    ("POST", "/api/repos/create", writing.create),
    ("POST", "/api/validate-yaml", reading.validate),
    ("GET", f"/api/models/{_ID}", reading.info),
    ("GET", rf"/api/models/{_ID}/revision/(?P<revision>[^/]+)", reading.info),
    ("GET", rf"/api/models/{_ID}/tree/(?P<revision>[^/]+)(/(?P<folder>.+))?", reading.tree),
    ("POST", rf"/api/models/{_ID}/preupload/(?P<revision>[^/]+)", writing.preupload),
    ("POST", rf"/api/models/{_ID}/commit/(?P<revision>[^/]+)", writing.commit),
    ("POST", rf"/{_ID}\.git/info/lfs/objects/batch", writing.batch),
    ("POST", rf"/{_ID}\.git/info/lfs/objects/verify", writing.verify),
    ("PUT", rf"/lfs/{_ID}/(?P<oid>\w+)", writing.upload),
    ("GET HEAD", rf"/{_ID}/resolve/(?P<revision>[^/]+)/(?P<file>.+)", reading.resolve),
)
