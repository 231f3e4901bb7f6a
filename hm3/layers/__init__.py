"""The weights of layers and how they run.

- `families`: one row for each model family: where its tensors are named and which forward runs them
- `bank`: `LayerBank`, the resident sources; `reading`, how one is read; `resident`, what stays
- `low_rank`, `conditioned`: terms beside matrices, and those that depend on weights
- `forward`: what every forward offers: `Forward`
- `decoder`: the forward of most families, shaped for scoring many stacks; `attention` and `rotary` are its parts
- `stock`: the forward of all others, by transformers' own modules; `stock_weights` and `empty_model` are its parts
- `kinds`: what a layer does otherwise than its neighbours, by its own source's config
"""

from hm3.layers.bank import LayerBank
from hm3.layers.decoder import Decoder, LayerWeights
from hm3.layers.empty_model import empty_model
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
    "empty_model",
    "family_of",
]
