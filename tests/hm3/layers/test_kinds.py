"""What a layer does otherwise than its neighbours comes from its own source's config, however that is spelled."""

import pytest

from hm3.errors import CheckpointError
from hm3.layers import FAMILIES, LayerKind

DEPTH = {"num_hidden_layers": 4}
WINDOW = {"use_sliding_window": True, "sliding_window": 8}
PATTERNS = [
    ("llama", {}, "ffff"),
    ("mistral", {}, "ssss"),
    ("phi3", {"pad_token_id": 0}, "ssss"),
    ("olmo2", {}, "ffff"),
    ("qwen2", {}, "ffff"),
    ("qwen2", {**WINDOW, "max_window_layers": 3}, "fffs"),
    ("qwen3", {**WINDOW, "max_window_layers": 2}, "ffss"),
    ("qwen3", {**WINDOW, "layer_types": ["sliding_attention", *["full_attention"] * 3]}, "sfff"),
    ("gemma2", {}, "sfsf"),
    ("gemma3_text", {"sliding_window_pattern": 3}, "ssfs"),
    ("smollm3", {"no_rope_layer_interval": 2, **WINDOW}, "fSfS"),
    ("smollm3", {"no_rope_layers": [0, 1, 1, 0]}, "FffF"),
    ("qwen3_moe", {"mlp_only_layers": [0], "decoder_sparse_step": 2}, "dfdf"),
]
LETTERS = {
    "f": LayerKind("full_attention"),
    "s": LayerKind("sliding_attention"),
    "F": LayerKind("full_attention", rope=False),
    "S": LayerKind("sliding_attention", rope=False),
    "d": LayerKind("full_attention", experts=False),
}


@pytest.mark.parametrize(("family", "settings", "kinds"), PATTERNS)
def test_kinds_are_listed_or_derived_as_transformers_does(family, settings, kinds):
    config = {"model_type": family, **DEPTH, **settings}
    assert [FAMILIES[family].kind(config, layer) for layer in range(4)] == [LETTERS[letter] for letter in kinds]


def test_a_kind_of_attention_that_the_decoder_lacks_is_refused():
    config = {"model_type": "qwen2", **DEPTH, "layer_types": ["full_attention", "chunked_attention"] * 2}
    with pytest.raises(
        CheckpointError, match="full_attention or sliding_attention, got 'chunked_attention' for layer 1"
    ):
        FAMILIES["qwen2"].kind(config, 1)
