"""Two random checkpoints of the Llama architecture, the same ones whenever they are asked for, and a stack of both."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hm3 import zoo
from hm3.checkpoints import Checkpoint, Computed, write_checkpoint
from hm3.recipe import LayerRef, Recipe

DEVIATION = 0.02  # of the weights


@dataclass(frozen=True)
class Shape:
    """A Llama's sizes.

    Attributes:
        depth: Number of layers.
        width: Of the residual stream.
        inner: Width of the MLP.
        heads: Of queries; keys and values have one for each eight.
        vocabulary: Rows of embedding and head, which are two tensors.
    """

    depth: int = 22
    width: int = 2048
    inner: int = 5632
    heads: int = 32
    vocabulary: int = 32_000

    def config(self) -> dict[str, Any]:
        """Its ``config.json``."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_act": "silu",
            "hidden_size": self.width,
            "intermediate_size": self.inner,
            "max_position_embeddings": 2048,
            "num_attention_heads": self.heads,
            "num_hidden_layers": self.depth,
            "num_key_value_heads": self.heads // 8,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10_000.0,
            "tie_word_embeddings": False,
            "dtype": "bfloat16",
            "vocab_size": self.vocabulary,
        }

    @property
    def nbytes(self) -> int:
        """Its size in bytes, as bfloat16."""
        return sum(2 * math.prod(shape) for _, shape in self.tensors())

    def tensors(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and shape of every tensor."""
        keys = self.width // 8
        layer = {
            "input_layernorm": (self.width,),
            "mlp.down_proj": (self.width, self.inner),
            "mlp.gate_proj": (self.inner, self.width),
            "mlp.up_proj": (self.inner, self.width),
            "post_attention_layernorm": (self.width,),
            "self_attn.k_proj": (keys, self.width),
            "self_attn.o_proj": (self.width, self.width),
            "self_attn.q_proj": (self.width, self.width),
            "self_attn.v_proj": (keys, self.width),
        }
        yield "model.embed_tokens.weight", (self.vocabulary, self.width)
        for number in range(self.depth):
            for name, shape in layer.items():
                yield f"model.layers.{number}.{name}.weight", shape
        yield "model.norm.weight", (self.width,)
        yield "lm_head.weight", (self.vocabulary, self.width)


FULL = Shape()  # TinyLlama's: 1.1 billion weights, 2.2 GB
SMALL = Shape(depth=6, width=1024, inner=2816, heads=16, vocabulary=16_000)  # 0.2 GB


def write_pair(folder: Path, shape: Shape, seed: int) -> dict[str, Checkpoint]:
    """Two sources of one shape, written one tensor at a time, with the zoo's tokenizer."""
    return {name: Checkpoint.open(name, write_random(folder / name, shape, f"{seed}/{name}")) for name in "ab"}


def write_random(folder: Path, shape: Shape, seed: str) -> Path:
    """A source of a shape, written one tensor at a time, with the zoo's tokenizer; `folder`."""
    tensors = [Computed(key, "BF16", dims, partial(_weights, f"{seed}/{key}", dims)) for key, dims in shape.tensors()]
    return write_checkpoint(folder, shape.config(), tensors, copy_from=zoo.source_path("base"))


def mixed_stack(sources: Mapping[str, Checkpoint]) -> Recipe:
    """Layers of both sources in turns, some of them twice, between the one's embedding and the other's head."""
    depth = sources["a"].depth
    third, half = depth // 3, depth // 2
    spans = ("a", 0, half), ("b", third, 2 * third), ("a", third, half), ("b", half, depth)
    path = [LayerRef(name, layer) for name, first, end in spans for layer in range(first, end)]
    return Recipe.build(path, "a", "b", {name: source.source for name, source in sources.items()})


def _weights(seed: str, shape: tuple[int, ...]) -> Tensor:
    generator = torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:7]))
    return torch.empty(shape, dtype=torch.bfloat16).normal_(0, DEVIATION, generator=generator)
