"""The only code that reads and writes safetensors.

======================  ==========================================================
`checkpoint`            a source folder, opened and checked: `Checkpoint`
`adapter`               a LoRA adapter's folder, opened and checked: `Adapter`
`adapter_merging`       an adapter becomes a checkpoint: `merged_adapter`
`source_model`          what a source must be, folder or not: `SourceModel`
`in_memory`             one without a folder: `InMemoryModel`
`hub`                   checkpoints of the Hub, fetched once: `hub_folder`, `hub_recipe`
`hub_errors`            why the Hub's client failed, in one line without the token
`loading`               whether transformers would load a source whole: `check_loading`
`compatibility`         whether sources fit together: `check_compatible`
`settings`              a config.json as transformers' own class
`meaning`, `fields`     what that means to other sources: which of its fields must agree
`tokenizer`             what a tokenizer is made of; `tokenizer_differences` between two
`tokenizer_files`       the files that it is made of; `stated_tokens` which tokens others than tokenizer.json name
`vocabulary`            how many rows embedding and head of a stack have
`writer`                tensors become a folder: `write_checkpoint`
`outgoing`, `computed`  the tensors to be written: `Copied`, `Computed`, `ComputedRows`
`layout`                which file each goes to, and where in it
`weight_writer`         there they go (`byte_ranges`, `flushing`), one at a time
`staging`, `atomic`     all or nothing: `staged_folder`, `scratch_folder`, `locked_folder`, `write_atomic`
`weights`               tensors by name, read from a folder's files
`weight_files`          which files of a folder hold its weights
`safetensors_header`    what a safetensors file says it holds
`model_config`, `links` a folder's config.json and its links, found harmless
`content`               digests of what a checkpoint computes
`arrays`, `noted`       named arrays in a file of their own; with a note about them
`dtypes`                element types' names
`reading`               strict JSON
======================  ==========================================================
"""

from hm3.checkpoints.adapter import Adapter, is_adapter
from hm3.checkpoints.adapter_merging import merged_adapter
from hm3.checkpoints.atomic import write_atomic
from hm3.checkpoints.checkpoint import Checkpoint
from hm3.checkpoints.compatibility import check_compatible
from hm3.checkpoints.computed import Computed, ComputedRows
from hm3.checkpoints.hub import hub_folder, hub_recipe, is_hub_id
from hm3.checkpoints.in_memory import InMemoryModel
from hm3.checkpoints.loading import check_loading
from hm3.checkpoints.outgoing import Copied, Outgoing
from hm3.checkpoints.source_model import SourceModel
from hm3.checkpoints.staging import locked_folder, remove_stale, scratch_folder, staged_folder
from hm3.checkpoints.writer import fill_folder, write_checkpoint

__all__ = [
    "Adapter",
    "Checkpoint",
    "Computed",
    "ComputedRows",
    "Copied",
    "InMemoryModel",
    "Outgoing",
    "SourceModel",
    "check_compatible",
    "check_loading",
    "fill_folder",
    "hub_folder",
    "hub_recipe",
    "is_adapter",
    "is_hub_id",
    "locked_folder",
    "merged_adapter",
    "remove_stale",
    "scratch_folder",
    "staged_folder",
    "write_atomic",
    "write_checkpoint",
]
