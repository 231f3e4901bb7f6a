"""The Hub's API, as far as it is used here: which request is for what."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from tests.hub import reading, writing
from tests.hub.answers import Answer, Asked, no
from tests.hub.hub import Hub

_ID = r"(?P<name>[\w.-]+/[\w.-]+)"
_MODEL = f"/api/models/{_ID}"
_REVISION = r"(?P<revision>[^/]+)"
ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/api/whoami-v2", reading.whoami),
    ("POST", "/api/validate-yaml", reading.validate),
    ("GET", _MODEL, reading.info),
    ("GET", f"{_MODEL}/revision/{_REVISION}", reading.info),
    ("GET", f"{_MODEL}/tree/{_REVISION}(/(?P<folder>.+))?", reading.tree),
    ("GET HEAD", f"/{_ID}/resolve/{_REVISION}/(?P<file>.+)", reading.resolve),
    ("POST", "/api/repos/create", writing.create),
    ("POST", f"{_MODEL}/preupload/{_REVISION}", writing.preupload),
    ("POST", rf"/{_ID}\.git/info/lfs/objects/batch", writing.batch),
    ("PUT", rf"/lfs/{_ID}/(?P<oid>\w+)", writing.upload),
    ("POST", rf"/{_ID}\.git/info/lfs/objects/verify", writing.verify),
    ("POST", f"{_MODEL}/commit/{_REVISION}", writing.commit),
)


def answer(hub: Hub, asked: Asked) -> Answer:
    """What the Hub says."""
    if asked.token is not None and asked.token not in hub.accounts:
        return no(401, "Invalid credentials in Authorization header")
    for methods, pattern, route in ROUTES:
        if asked.method in methods.split() and (match := re.fullmatch(pattern, asked.path)):
            named = {key: text and unquote(text) for key, text in match.groupdict().items()}
            return route(hub, asked, **named)
    return no(404, "Sorry, we can't find the page you are looking for.")
