"""Long rows attend without length² scores; short ones as ever."""

import pytest
import torch

from hm3.layers.attention import SHORT, CausalAttention

CPU = torch.device("cpu")


def heads(length, count=4):
    return torch.randn(2, length, count, 8, generator=torch.Generator().manual_seed(length + count)).transpose(1, 2)


def by_hand(query, key, value, positions):
    """Softmax over all positions up to each query's own; key and value heads serve groups of queries."""
    key, value = (part.repeat_interleave(query.shape[1] // part.shape[1], dim=1) for part in (key, value))
    weights = (query @ key.transpose(-1, -2)) / 8**0.5
    later = torch.arange(key.shape[2]) > positions[:, None, :, None]
    return weights.masked_fill(later, -torch.inf).softmax(-1) @ value


@pytest.mark.parametrize("length", [9, SHORT, SHORT + 1, 700])
@pytest.mark.parametrize("kv_heads", [2, 4])
def test_every_position_sees_itself_and_what_is_before(length, kv_heads):
    attend = CausalAttention(700, CPU, torch.float32)
    query, key, value = heads(length), heads(length, kv_heads), heads(length, kv_heads).flip(2)
    positions = torch.arange(length).expand(2, -1)
    torch.testing.assert_close(attend(query, key, value), by_hand(query, key, value, positions), atol=1e-5, rtol=0)


@pytest.mark.parametrize("length", [9, 700])
def test_some_positions_see_the_same_as_among_all(length):
    attend = CausalAttention(700, CPU, torch.float32)
    query, key, value = heads(length), heads(length, 2), heads(length, 2)
    slots = torch.tensor([[length - 3, length - 2, length - 1], [4, 0, 0]])  # the second row is padded
    index = slots[:, None, :, None].expand(-1, 4, -1, 8)
    found = attend(query.gather(2, index), key, value, slots)
    whole = attend(query, key, value).gather(2, index)
    torch.testing.assert_close(found, whole, atol=1e-5, rtol=0)


def test_no_mask_grows_with_the_longest_row():
    assert CausalAttention(100_000, CPU, torch.float32)._mask.shape == (SHORT, SHORT)
