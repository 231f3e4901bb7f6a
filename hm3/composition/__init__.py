"""From a configuration to a session: the only place where settings become parts.

- `invocation`: the words on the command line
- `start`: the run folder; a run that begins, or goes on
- `source_paths`: where a source lies: a folder, the zoo, the Hub, an adapter
- `recipe_file`, `recipe_sources`: a recipe's file, and the sources that it names
- `sources`, `tasks`, `merges`, `space`, `bench`, `searcher`: a section of the configuration each, opened and checked
- `plans`: how much each stage does
- `trained_on`: ``pool.json``
- `parts`: what a run is made of before anything is scored
- `level`, `merging`: the parameter level, and whether layers are stacked; its work
- `run`: all of it together; `opening` opens it
"""

from hm3.composition.bench import machine_of
from hm3.composition.invocation import chosen, stated_text, stated_weights
from hm3.composition.level import stacks_layers
from hm3.composition.opening import composed
from hm3.composition.plans import Offline, Online, merge_stages, sampler_of, search_stages, train_stages
from hm3.composition.recipe_file import RecipeModel, open_recipe
from hm3.composition.recipe_sources import source_checkpoints, tensor_files
from hm3.composition.run import Composition
from hm3.composition.source_paths import anchored
from hm3.composition.sources import Sources, open_checkpoints, open_sources
from hm3.composition.start import Start, started
from hm3.composition.tasks import open_objectives, prompts_of, task_folders

__all__ = [
    "Composition",
    "Offline",
    "Online",
    "RecipeModel",
    "Sources",
    "Start",
    "anchored",
    "chosen",
    "composed",
    "machine_of",
    "merge_stages",
    "open_checkpoints",
    "open_objectives",
    "open_recipe",
    "open_sources",
    "prompts_of",
    "sampler_of",
    "search_stages",
    "source_checkpoints",
    "stacks_layers",
    "started",
    "stated_text",
    "stated_weights",
    "task_folders",
    "tensor_files",
    "train_stages",
]
