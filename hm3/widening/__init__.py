"""Experimental: a narrow source becomes a checkpoint of a wide one's shape, so that their layers can be stacked.

No stock checkpoint can change its width between two layers. But a whole model can be written at a greater width and
still compute the same, if its residual stream is carried by a semi-orthogonal map; then it is a source like any other.

===============  =================================================================
`checkpoint`     writes it: `write_widened`
`fitting`        the map, from what both models compute on the same tokens: `fit`
`stream_map`     what such a map is: `StreamMap`; one that looks at nothing: `plain`
`states`         residual streams on token rows; those of a text: `token_rows`
`room`           what fits where: `check_room`
`families`       one row each: what a layer's tensors do to the stream (`roles`)
`tensors`        tensors at the wide shape (`target`, `places`, `shape`)
===============  =================================================================
"""

from hm3.widening.checkpoint import write_widened
from hm3.widening.fitting import Fit, fit
from hm3.widening.room import check_room
from hm3.widening.states import residual_streams
from hm3.widening.stream_map import StreamMap, plain, procrustes
from hm3.widening.text import token_rows

__all__ = [
    "Fit",
    "StreamMap",
    "check_room",
    "fit",
    "plain",
    "procrustes",
    "residual_streams",
    "token_rows",
    "write_widened",
]
