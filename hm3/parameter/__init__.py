"""Merged sources: preferences become parameter-space merges; the arithmetic is mergekit's.

========================  ==========================================================
`methods`                 the merge methods, a row each: `METHODS`
`specification`           a merge, stated in full: `specify`
`arithmetic`              its tensors, one at a time: `merge_tensors`
`merging`                 its checkpoint: `merge`
`cache`                   merges on disk, each built once: `MergeCache`
`configuration`           mergekit's YAML: `configuration`
`level`                   the interface: `ParameterLevel`, `Expert`, `NoMerge`
`preference_weighted`     the paper's level: `PreferenceWeighted`
`rivals`                  what users would try instead: `rival_specs`
========================  ==========================================================
"""

from hm3.parameter.arithmetic import merge_tensors
from hm3.parameter.cache import MergeCache
from hm3.parameter.configuration import configuration, configuration_text
from hm3.parameter.level import Expert, NoMerge, ParameterLevel
from hm3.parameter.merging import fill_merge, merge, open_sources
from hm3.parameter.methods import METHODS, Method, Parameter
from hm3.parameter.preference_weighted import PreferenceWeighted, expert_weights, lattice_anchors, preference_name
from hm3.parameter.rivals import rival_specs
from hm3.parameter.specification import specify

__all__ = [
    "METHODS",
    "Expert",
    "MergeCache",
    "Method",
    "NoMerge",
    "Parameter",
    "ParameterLevel",
    "PreferenceWeighted",
    "configuration",
    "configuration_text",
    "expert_weights",
    "fill_merge",
    "lattice_anchors",
    "merge",
    "merge_tensors",
    "open_sources",
    "preference_name",
    "rival_specs",
    "specify",
]
