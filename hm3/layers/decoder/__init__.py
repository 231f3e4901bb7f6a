"""The forward of decoders with RMS norms, rotary attention and gated MLPs.

- `pieces`: norms, embeddings, activations: what families choose from
- `layout`: what a family calls its tensors; `LayerWeights`, a layer as the decoder uses it
- `stacking`: what runs as one product
- `terms`: low-rank terms in that form
- `design`: `Design`, all that a family chooses; `designs`: those that there are
- `decoder`: `Decoder`, which runs layers of any design
"""

from hm3.layers.decoder.decoder import Decoder
from hm3.layers.decoder.design import Design
from hm3.layers.decoder.layout import LayerWeights, Layout

__all__ = ["Decoder", "Design", "LayerWeights", "Layout"]
