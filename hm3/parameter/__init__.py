"""Merged sources: preferences become parameter-space merges; the arithmetic is mergekit's.

========================  ==========================================================
`methods`                 the merge methods, a row each: `METHODS`
`specification`           a merge, stated in full: `specify`
`arithmetic`              its tensors, one at a time: `merge_tensors`
`mergeable`               whether models can be merged: `check_mergeable`
`space`                   the settings that a search may choose: `MergeSpace`
`merging`                 its checkpoint: `merge`; `planning` what is in it, by method
`in_memory`               without one: `merge_in_memory`
`change`                  how far it is from its base: `L1Change`
`watching`, `reading`     its tensors looked at on their way; how its sources are read
`cache`                   merges on disk, each built once: `MergeCache`
`configuration`           mergekit's YAML: `configuration`
`level`                   the interface: `ParameterLevel`, `Expert`, `NoMerge`
`preference_weighted`     the paper's level: `PreferenceWeighted`
`rivals`                  what users would try instead: `rival_specs`
========================  ==========================================================
"""

from hm3.parameter.arithmetic import merge_tensors
from hm3.parameter.cache import MergeCache
from hm3.parameter.change import L1Change, l1_change
from hm3.parameter.configuration import configuration, configuration_text
from hm3.parameter.in_memory import merge_in_memory
from hm3.parameter.level import Expert, NoMerge, ParameterLevel
from hm3.parameter.mergeable import check_mergeable
from hm3.parameter.merging import fill_merge, merge, named_sources, open_sources
from hm3.parameter.methods import METHODS, Method, Parameter
from hm3.parameter.preference_weighted import PreferenceWeighted, expert_weights, lattice_anchors, preference_name
from hm3.parameter.rivals import rival_specs
from hm3.parameter.space import MergeSpace
from hm3.parameter.specification import specify
from hm3.parameter.watching import Watch, unwatched

__all__ = [
    "METHODS",
    "Expert",
    "L1Change",
    "MergeCache",
    "MergeSpace",
    "Method",
    "NoMerge",
    "Parameter",
    "ParameterLevel",
    "PreferenceWeighted",
    "Watch",
    "check_mergeable",
    "configuration",
    "configuration_text",
    "expert_weights",
    "fill_merge",
    "l1_change",
    "lattice_anchors",
    "merge",
    "merge_in_memory",
    "merge_tensors",
    "named_sources",
    "open_sources",
    "preference_name",
    "rival_specs",
    "specify",
    "unwatched",
]
