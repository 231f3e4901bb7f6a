"""From a recipe to a model: its config, its tensors by name, and the model assembled in memory.

Layers are numbered by their place in the stack, never by where they came from: the KV cache is indexed by that number,
so a layer that keeps its old one, or occurs twice under one number, computes something else without a word.
"""

from hm3.stacks.assembly import assemble
from hm3.stacks.config import stack_config, untied_bytes
from hm3.stacks.tensors import stack_tensors

__all__ = ["assemble", "stack_config", "stack_tensors", "untied_bytes"]
