"""The hub as fixtures; ``tests/conftest.py`` makes them known everywhere."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.hub.hub import Hub
from tests.hub.serving import serve


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that this process, logged in, takes for the Hub; its client does not wait before it tries again."""
    from huggingface_hub import close_session
    from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

    with serve() as hub, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Use 'content=", DeprecationWarning)  # the client's own, about httpx
        connect(hub, tmp_path, monkeypatch)
        disable_progress_bars()  # as commands do, before the client reads its environment
        yield hub
        enable_progress_bars()
        close_session()


def connect(hub: Hub, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process take `hub` for the Hub: the client has read its environment long ago."""
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    for name, value in hub.environment(scratch).items():
        monkeypatch.setenv(name, value)
    home = scratch / "huggingface"
    known = {
        "ENDPOINT": hub.endpoint,
        "HUGGINGFACE_CO_URL_TEMPLATE": hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        "HF_TOKEN_PATH": str(home / "token"),
        "HF_STORED_TOKENS_PATH": str(home / "stored_tokens"),
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_DISABLE_TELEMETRY": True,
    }
    for name, value in known.items():
        monkeypatch.setattr(constants, name, value)
    monkeypatch.setattr(_http, "time", SimpleNamespace(sleep=lambda _: None, time=_http.time.time))
