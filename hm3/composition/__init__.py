"""From a configuration to a session: the only place where settings become parts.

- `invocation`: what Hydra alone knows of this start
- `sources`, `tasks`, `merges`, `space`, `bench`, `searcher`: a section of the configuration each, opened and checked
- `plans`: how much each stage does
- `trained_on`: ``pool.json``
- `parts`: what a run is made of before anything is scored
- `run`: all of it together
"""

from hm3.composition.invocation import run_folder, stated_text, stated_weights
from hm3.composition.merges import merged_checkpoint
from hm3.composition.plans import Offline, Online, sampler_of, search_stages, train_stages
from hm3.composition.run import Composition, composed
from hm3.composition.sources import Sources, open_sources
from hm3.composition.tasks import open_objectives, task_folders

__all__ = [
    "Composition",
    "Offline",
    "Online",
    "Sources",
    "composed",
    "merged_checkpoint",
    "open_objectives",
    "open_sources",
    "run_folder",
    "sampler_of",
    "search_stages",
    "stated_text",
    "stated_weights",
    "task_folders",
    "train_stages",
]
