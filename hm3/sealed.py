"""JSON that HM3 keeps for itself, sealed with a digest: it comes back as it was written, or is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hm3.errors import ConfigurationError
from hm3.recipe import digest_of

_CONTENT, _SEAL = "content", "sha256"


def sealed(content: Any) -> str:
    """The text of a file that holds `content`, a JSON value, and its digest."""
    return json.dumps({_CONTENT: content, _SEAL: digest_of(content)}) + "\n"


def unsealed(file: Path) -> Any:
    """The content of a file whose text `sealed` made.

    Raises:
        ConfigurationError: The file is missing, or not as it was written.
    """
    try:
        value = json.loads(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file}: as a run wrote it, got {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file}: as a run wrote it, got no JSON ({str(error)[:80]})") from error
    if not isinstance(value, dict) or set(value) != {_CONTENT, _SEAL} or digest_of(value[_CONTENT]) != value[_SEAL]:
        raise ConfigurationError(f"{file}: as a run wrote it, got other content (damaged, or of another version)")
    return value[_CONTENT]
