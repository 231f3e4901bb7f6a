"""The weights of layers and how they run.

- `families`: one row for each model family: where its tensors are named and which forward runs them
- `bank`: `LayerBank`, the resident sources
- `forward`: what every forward offers: `Forward`
- `decoder`: the forward of pre-norm decoders, shaped for scoring many stacks; `attention` and `rotary` are its parts
"""

from hm3.layers.bank import LayerBank
from hm3.layers.decoder import Decoder, LayerWeights
from hm3.layers.families import FAMILIES, Family, family_of
from hm3.layers.forward import Ending, Forward, LayerKind, Weights, answers

__all__ = [
    "FAMILIES",
    "Decoder",
    "Ending",
    "Family",
    "Forward",
    "LayerBank",
    "LayerKind",
    "LayerWeights",
    "Weights",
    "answers",
    "family_of",
]
