"""Long rows attend without length² scores; short ones as ever. A window and a cap hold on both."""

import pytest
import torch

from hm3.layers.attention import SHORT, CausalAttention

CPU = torch.device("cpu")
VARIANTS = [{}, {"scale": 0.2}, {"window": 5}, {"window": 300}, {"cap": 0.7}, {"window": 300, "cap": 0.7, "scale": 1.0}]


def heads(length, count=4):
    return torch.randn(2, length, count, 8, generator=torch.Generator().manual_seed(length + count)).transpose(1, 2)


def by_hand(query, key, value, positions, scale=8**-0.5, window=10**6, cap=None):
    """Softmax over the positions that each query sees; key and value heads serve groups of queries."""
    key, value = (part.repeat_interleave(query.shape[1] // part.shape[1], dim=1) for part in (key, value))
    scores = (query @ key.transpose(-1, -2)) * scale
    scores = scores if cap is None else cap * torch.tanh(scores / cap)
    places, queries = torch.arange(key.shape[2]), positions[:, None, :, None]
    seen = (places <= queries) & (places > queries - window)
    return scores.masked_fill(~seen, -torch.inf).softmax(-1) @ value


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("length", [9, SHORT, SHORT + 1, 700])
@pytest.mark.parametrize("kv_heads", [2, 4])
def test_every_position_sees_itself_and_what_is_before(length, kv_heads, variant):
    attend = CausalAttention(700, CPU, torch.float32, **variant)
    query, key, value = heads(length), heads(length, kv_heads), heads(length, kv_heads).flip(2)
    positions = torch.arange(length).expand(2, -1)
    expected = by_hand(query, key, value, positions, **variant)
    torch.testing.assert_close(attend(query, key, value), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("length", [9, 700])
def test_some_positions_see_the_same_as_among_all(length, variant):
    attend = CausalAttention(700, CPU, torch.float32, **variant)
    query, key, value = heads(length), heads(length, 2), heads(length, 2)
    slots = torch.tensor([[length - 3, length - 2, length - 1], [4, 0, 0]])  # the second row is padded
    index = slots[:, None, :, None].expand(-1, 4, -1, 8)
    found = attend(query.gather(2, index), key, value, slots)
    whole = attend(query, key, value).gather(2, index)
    torch.testing.assert_close(found, whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_no_mask_grows_with_the_longest_row(variant):
    assert CausalAttention(100_000, CPU, torch.float32, **variant)._mask.shape == (SHORT, SHORT)


def test_a_long_row_with_a_window_has_no_more_scores_at_once_than_it_needs(monkeypatch):
    shapes, products = [], CausalAttention._products

    def spied(self, query, key, value, mask):
        shapes.append(tuple(mask.shape[-2:]))
        return products(self, query, key, value, mask)

    monkeypatch.setattr(CausalAttention, "_products", spied)
    CausalAttention(1024, CPU, torch.float32, window=100)(heads(1024), heads(1024), heads(1024))
    assert shapes == [(256, 256), (256, 355), (256, 355), (256, 355)]
