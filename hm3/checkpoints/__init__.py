"""The only code that reads and writes safetensors.

======================  ==========================================================
`checkpoint`            a source folder, opened and checked: `Checkpoint`
`adapter`               a LoRA adapter's folder, opened and checked: `Adapter`
`adapter_merging`       an adapter becomes a checkpoint: `merged_adapter`
`hub`                   checkpoints of the Hub, fetched once: `hub_folder`
`compatibility`         whether sources fit together: `check_compatible`
`writer`                a stream of tensors becomes a folder: `write_checkpoint`
`staging`, `atomic`     all or nothing: `staged_folder`, `scratch_folder`, `locked_folder`, `write_atomic`
`weight_files`          which files of a folder hold its weights
`safetensors_header`    what a safetensors file says it holds
`model_config`          a folder's config.json, found harmless
`content`               digests of what a checkpoint computes
`reading`               strict JSON
======================  ==========================================================
"""

from hm3.checkpoints.adapter import Adapter, is_adapter
from hm3.checkpoints.adapter_merging import merged_adapter
from hm3.checkpoints.atomic import write_atomic
from hm3.checkpoints.checkpoint import Checkpoint
from hm3.checkpoints.compatibility import check_compatible
from hm3.checkpoints.hub import hub_folder, is_hub_id
from hm3.checkpoints.staging import locked_folder, scratch_folder, staged_folder
from hm3.checkpoints.writer import fill_folder, write_checkpoint

__all__ = [
    "Adapter",
    "Checkpoint",
    "check_compatible",
    "fill_folder",
    "hub_folder",
    "is_adapter",
    "is_hub_id",
    "locked_folder",
    "merged_adapter",
    "scratch_folder",
    "staged_folder",
    "write_atomic",
    "write_checkpoint",
]
