"""Why the Hub's client failed, in one line that never holds the token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from urllib.parse import urlsplit

from huggingface_hub import constants, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, IncompleteSnapshotError, OfflineModeIsEnabled

from hm3.errors import ConfigurationError, HM3Error

LOGIN = "log in with `hf auth login`, or set HF_TOKEN"
# The base of every error of the HTTP library that the client is built on, whichever that is.
_HTTP = cast(type[Exception], HfHubHTTPError.__bases__[0])
_NO_XET = "where a mirror stands for the Hub that has no xet, set HF_HUB_DISABLE_XET=1"
_RULES = {
    401: f"not logged in, or not with a valid token; {LOGIN}",
    403: "no right to do this with this token",
    404: "not on the Hub, or not visible with this token",
    409: "a conflict with what is there; say it again",
    412: "somebody else has committed meanwhile; say it again",
    413: "more than the Hub takes",
    429: "too many requests; say it again later",
}


@contextmanager
def hub_failures(what: str, kind: type[HM3Error]) -> Iterator[None]:
    """Whatever the Hub's client raises in the block becomes ``what (why)``.

    Args:
        what: What was wanted.
        kind: Of the error.

    Raises:
        HM3Error: Of `kind`. Its cause is left out: it may show the token.
        ConfigurationError: The token cannot be one.
    """
    checked_token()
    try:
        yield
    except (_HTTP, OSError, RuntimeError, ValueError) as error:
        raise kind(f"{what} ({why(error)})") from None


def checked_token() -> str | None:
    """The token of whoever is logged in, from HF_TOKEN or the login's file; None without one.

    Raises:
        ConfigurationError: It has letters that no token has, and that the HTTP library would show in an error.
    """
    token = get_token()
    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        raise ConfigurationError("HF_TOKEN, or the token of `hf auth login`: ASCII letters, got others (not shown)")
    return token


def why(error: BaseException) -> str:
    """One line about what the Hub's client raised, without the token."""
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, HfHubHTTPError):
            return _shown(_refusal(each))
    for each in chain:
        if isinstance(each, IncompleteSnapshotError):
            return "what is there of it is not whole; the Hub cannot be reached"
        if isinstance(each, OfflineModeIsEnabled):
            return "the Hub cannot be reached: HF_HUB_OFFLINE is set"
        if isinstance(each, _HTTP):
            return _shown(f"the Hub at {urlsplit(constants.ENDPOINT).hostname} cannot be reached: {_first(each)}")
    said = _first(chain[0] if isinstance(error, HFValidationError) else chain[-1])
    return _shown(said + (f"; {_NO_XET}" if "xet-write-token" in said else ""))


def _refusal(error: HfHubHTTPError) -> str:
    """What a status means, and what the Hub said itself."""
    status = error.response.status_code
    rule = _RULES.get(status) or ("the Hub fails; say it again later" if status >= 500 else "refused by the Hub")
    said = " ".join((error.server_message or "").split())
    return f"HTTP {status}: {rule}" + (f"; it says: {said[:200]}" if said else "")


def _first(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


def _shown(text: str) -> str:
    token = get_token()
    return text.replace(token, "***") if token else text


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__
