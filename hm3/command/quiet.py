"""Other libraries' bars and notes stay off the console: they would drown what the command itself has to say."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

# httpx tells every request, the others what they do on the way; their warnings still show.
_TALKERS = (
    "accelerate",
    "datasets",
    "filelock",
    "fsspec",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "huggingface_hub",
    "mergekit",
    "urllib3",
)


def quiet() -> None:
    """Ask other libraries to be quiet; what the environment states already is left as it is.

    Must run before they are imported: they read the environment once.
    """
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if not _writable(Path.home()):  # matplotlib would complain and build its font list anew each time
        own = Path(tempfile.gettempdir()) / f"hm3-matplotlib-{os.getuid() if hasattr(os, 'getuid') else 0}"
        os.environ.setdefault("MPLCONFIGDIR", str(own))
    for name in _TALKERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
