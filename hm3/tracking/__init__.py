"""Records of a run: what is logged while it goes.

- `Tracker`: the protocol; `NullTracker` keeps nothing, `Tee` passes everything on to several.
- `JsonlTracker` and `read_metrics`: a file of the run folder.
- `wandb_tracker`: Weights & Biases, online with a login, offline without. The only code that knows wandb.
"""

from hm3.tracking.jsonl import JsonlTracker, read_metrics
from hm3.tracking.protocol import Cell, NullTracker, Tee, Tracker
from hm3.tracking.weights_and_biases import WandbTracker, wandb_tracker

__all__ = [
    "Cell",
    "JsonlTracker",
    "NullTracker",
    "Tee",
    "Tracker",
    "WandbTracker",
    "read_metrics",
    "wandb_tracker",
]
