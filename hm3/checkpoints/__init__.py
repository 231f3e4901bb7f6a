"""The only code that reads and writes safetensors.

======================  ==========================================================
`checkpoint`            a source folder, opened and checked: `Checkpoint`
`compatibility`         whether sources fit together: `check_compatible`
`writer`                a stream of tensors becomes a folder: `write_checkpoint`
`staging`, `atomic`     all or nothing: `staged_folder`, `write_atomic`
`weight_files`          which files of a folder hold its weights
`safetensors_header`    what a safetensors file says it holds
`model_config`          a folder's config.json, found harmless
`content`               digests of what a checkpoint computes
`reading`               strict JSON
======================  ==========================================================
"""

from hm3.checkpoints.atomic import write_atomic
from hm3.checkpoints.checkpoint import Checkpoint
from hm3.checkpoints.compatibility import check_compatible
from hm3.checkpoints.staging import staged_folder
from hm3.checkpoints.writer import fill_folder, write_checkpoint

__all__ = ["Checkpoint", "check_compatible", "fill_folder", "staged_folder", "write_atomic", "write_checkpoint"]
