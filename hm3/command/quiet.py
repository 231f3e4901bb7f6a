"""Other libraries' bars and notes stay off the console: they would drown what the command itself has to say."""

from __future__ import annotations

import logging
import os

# httpx tells every request, the others what they do on the way; their warnings still show.
_TALKERS = (
    "accelerate",
    "datasets",
    "filelock",
    "fsspec",
    "httpcore",
    "httpx",
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
    for name in _TALKERS:
        logging.getLogger(name).setLevel(logging.WARNING)
