"""Alignment at seams: what hidden states go through where layers follow each other that were no neighbours.

==============  ==========================================================
`rules`         what a seam may do: scale, rotation; in closed form (`fitting`)
`calibration`   what sources read when a seam is fitted
`states`        the residual streams of sources that run alone
`fits`          the transform of any seam: `Fits`
`transform`     what hidden states are multiplied by: `Transform`
`values`        fitted values in files: `SeamValues`
`families`      one row each: what a layer's tensors do to the stream (`roles`)
`foldable`      what is refused
`folding`       seams become part of stock weights: `Folding` (`basis`)
==============  ==========================================================
"""

from hm3.seams.calibration import Calibration
from hm3.seams.fits import NO_TRANSFORMS, Fits, NoSeams, Seams, Transforms, check_tokens
from hm3.seams.foldable import check_foldable, residual_width
from hm3.seams.folding import Folding, stack_seams, turns_head
from hm3.seams.roles import Change
from hm3.seams.rules import NONE, RULES, check_rule, rule_of
from hm3.seams.transform import Transform, applied
from hm3.seams.values import SeamValues

__all__ = [
    "NONE",
    "NO_TRANSFORMS",
    "RULES",
    "Calibration",
    "Change",
    "Fits",
    "Folding",
    "NoSeams",
    "SeamValues",
    "Seams",
    "Transform",
    "Transforms",
    "applied",
    "check_foldable",
    "check_rule",
    "check_tokens",
    "residual_width",
    "rule_of",
    "stack_seams",
    "turns_head",
]
