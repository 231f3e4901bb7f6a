"""How each family's layers meet the residual stream: one row each.

A row names every tensor of a layer, so that none is passed over in silence. Names are those after the layer's prefix,
in files and where transformers calls them otherwise in memory; ``*`` stands for an expert's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from hm3.checkpoints import SourceModel
from hm3.errors import CheckpointError
from hm3.seams.roles import Apart, BareReader, Gain, LateGain, Reader, Role, Writer

ATTENTION, MLP = "input_layernorm.weight", "post_attention_layernorm.weight"
_ENDS = ("weight", "bias")


@dataclass(frozen=True, slots=True)
class Stream:
    """How a family's layers meet the stream.

    Attributes:
        roles: Name of a layer's tensor -> what it does.
        unturned: Why the stream cannot be turned in a stock checkpoint of the family; empty where it can.
    """

    roles: Mapping[str, Role]
    unturned: str = ""

    def role(self, name: str) -> Role | None:
        """What a layer's tensor does; None where the row doesn't know it."""
        if name in self.roles:
            return self.roles[name]
        return next((role for pattern, role in self.roles.items() if fnmatchcase(name, pattern)), None)


def _each(role: Role, *names: str) -> dict[str, Role]:
    return dict.fromkeys(names, role)


_NORMS = _each(Gain(), ATTENTION, MLP)
_HEADS: Mapping[str, Role] = {
    **_each(Reader(ATTENTION), *(f"self_attn.{part}_proj.weight" for part in "qkv")),
    **_each(Apart(), *(f"self_attn.{part}_proj.bias" for part in "qkv")),
    **_each(Writer(), "self_attn.o_proj.weight", "self_attn.o_proj.bias"),
}
_INNER: Mapping[str, Role] = {
    **_each(Reader(MLP), "mlp.gate_proj.weight", "mlp.up_proj.weight"),
    **_each(Writer(), "mlp.down_proj.weight"),
}
_HEAD_NORMS = _each(Apart(), "self_attn.q_norm.weight", "self_attn.k_norm.weight")
_PLAIN = Stream({**_NORMS, **_HEADS, **_INNER})
_PHI3 = Stream(
    {
        **_NORMS,
        "self_attn.qkv_proj.weight": Reader(ATTENTION),
        "mlp.gate_up_proj.weight": Reader(MLP),
        **_each(Writer(), "self_attn.o_proj.weight", "mlp.down_proj.weight"),
    }
)
_MIXTRAL = Stream(
    {
        **_NORMS,
        **_HEADS,
        **_each(Reader(MLP), *(f"block_sparse_moe.{part}.weight" for part in ("gate", "experts.*.w1", "experts.*.w3"))),
        **_each(Writer(), "block_sparse_moe.experts.*.w2.weight"),
        **_each(Reader(MLP), "mlp.gate.weight", "mlp.experts.gate_up_proj"),
        **_each(Writer(), "mlp.experts.down_proj"),
    }
)
_QWEN3_MOE = Stream(
    {
        **_NORMS,
        **_HEADS,
        **_HEAD_NORMS,
        **_INNER,
        **_each(Reader(MLP), *(f"mlp.{part}.weight" for part in ("gate", "experts.*.gate_proj", "experts.*.up_proj"))),
        **_each(Writer(), "mlp.experts.*.down_proj.weight"),
        **_each(Reader(MLP), "mlp.experts.gate_up_proj"),
        **_each(Writer(), "mlp.experts.down_proj"),
    }
)
_SHARED_INNER = ("shared_expert.gate_proj", "shared_expert.up_proj")
_QWEN2_MOE = Stream(
    {
        **_QWEN3_MOE.roles,
        **_each(Reader(MLP), *(f"mlp.{part}.weight" for part in ("shared_expert_gate", *_SHARED_INNER))),
        **_each(Writer(), "mlp.shared_expert.down_proj.weight"),
    }
)
_AFTER = "a norm behind each block weighs the stream's coordinates one by one"
_GEMMA = Stream(
    {
        **_each(Apart(), ATTENTION, "pre_feedforward_layernorm.weight"),
        **_each(LateGain(offset=1.0), MLP, "post_feedforward_layernorm.weight"),
        **_each(Apart(), *(f"self_attn.{part}_proj.weight" for part in "qkvo"), *_HEAD_NORMS),
        **_each(Apart(), *(f"mlp.{part}_proj.weight" for part in ("gate", "up", "down"))),
    },
    unturned=_AFTER,
)
_OLMO2 = Stream(
    {
        **_each(BareReader(), *(f"self_attn.{part}_proj.weight" for part in "qkv")),
        **_each(BareReader(), "mlp.gate_proj.weight", "mlp.up_proj.weight"),
        **_each(LateGain(), MLP, "post_feedforward_layernorm.weight"),
        **_each(Apart(), "self_attn.o_proj.weight", "mlp.down_proj.weight", *_HEAD_NORMS),
    },
    unturned=_AFTER,
)
_CENTRED = "its norms subtract the mean of the stream's coordinates"
_NEOX = Stream(
    {
        **_each(Writer(), *(f"{part}.{end}" for part in ("attention.dense", "mlp.dense_4h_to_h") for end in _ENDS)),
        **_each(Apart(), *(f"{part}_layernorm.{end}" for part in ("input", "post_attention") for end in _ENDS)),
        **_each(
            Apart(), *(f"{part}.{end}" for part in ("attention.query_key_value", "mlp.dense_h_to_4h") for end in _ENDS)
        ),
    },
    unturned=_CENTRED,
)
_GPT2 = Stream(
    {
        **_each(Writer(), *(f"{part}.c_proj.{end}" for part in ("attn", "mlp") for end in _ENDS)),
        **_each(Apart(), *(f"{part}.{end}" for part in ("ln_1", "ln_2", "attn.c_attn", "mlp.c_fc") for end in _ENDS)),
    },
    unturned=_CENTRED,
)

STREAMS: Mapping[str, Stream] = {
    **dict.fromkeys(("llama", "mistral", "qwen2", "smollm3"), _PLAIN),
    "qwen3": Stream({**_PLAIN.roles, **_HEAD_NORMS}),
    "phi3": _PHI3,
    "mixtral": _MIXTRAL,
    "qwen3_moe": _QWEN3_MOE,
    "qwen2_moe": _QWEN2_MOE,
    **dict.fromkeys(("gemma2", "gemma3_text"), _GEMMA),
    "olmo2": _OLMO2,
    "gpt_neox": _NEOX,
    "gpt2": _GPT2,
}


def stream_of(source: SourceModel) -> Stream:
    """The row of a source's family.

    Raises:
        CheckpointError: There is none.
    """
    if source.model_type not in STREAMS:
        rule = f"a family whose weights take a seam in ({', '.join(STREAMS)})"
        raise CheckpointError(f"source {source.name}: for seams, {rule}, got {source.model_type!r}")
    return STREAMS[source.model_type]
