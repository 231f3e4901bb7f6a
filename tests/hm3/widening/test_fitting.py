"""The map between two residual streams: closed form, and what it is fitted on."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.linalg import orthogonal_procrustes
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError, ConfigurationError
from hm3.widening import fit, plain, procrustes, residual_streams, token_rows, write_widened
from tests.tiny_widths import NARROW, WIDE, model, turned

ROWS = [torch.randint(4, 128, (n,), generator=torch.Generator().manual_seed(n)).tolist() for n in range(9, 30)]


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_between_equal_widths_it_is_scipys_orthogonal_procrustes():
    narrow, wide = noise(50, 7), noise(50, 7, seed=1)
    theirs, _ = orthogonal_procrustes(narrow.numpy(), wide.numpy())
    torch.testing.assert_close(procrustes(wide.T @ narrow).T, torch.from_numpy(theirs))


def test_between_different_widths_no_nearby_semi_orthogonal_map_is_better():
    narrow, wide = noise(50, 4), noise(50, 7, seed=1)
    basis = procrustes(wide.T @ narrow)
    torch.testing.assert_close(basis.T @ basis, torch.eye(4, dtype=torch.float64))

    def distance(basis):
        return float((narrow @ basis.T - wide).pow(2).sum())

    for seed in range(50):
        nearby, _ = torch.linalg.qr(basis + 0.05 * noise(7, 4, seed=seed))
        nearby = nearby * (nearby * basis).sum(0).sign()
        assert distance(nearby) > distance(basis)


def test_states_are_those_of_stock_transformers(tmp_path):
    source = model(tmp_path / "source", NARROW, depth=3)
    stock = AutoModelForCausalLM.from_pretrained(source.path)
    with torch.no_grad():
        runs = [stock.model(torch.tensor([row]), output_hidden_states=True).hidden_states for row in ROWS]
    streams = list(residual_streams(source, ROWS))
    assert len(streams) == 4
    for boundary, ours in enumerate(streams[:3]):  # the last of transformers' own has passed the final norm
        torch.testing.assert_close(ours, torch.cat([run[boundary][0] for run in runs]), atol=1e-5, rtol=0)
    normed = stock.model.norm(streams[3]).detach()
    torch.testing.assert_close(normed, torch.cat([run[3][0] for run in runs]), atol=1e-5, rtol=0)


def test_a_model_that_is_the_narrow_one_in_disguise_is_recognised(tmp_path):
    narrow = model(tmp_path / "narrow", NARROW, depth=3)
    wide, hidden = model(tmp_path / "wide", WIDE, depth=1), turned(32, 48, 3)
    disguised = Checkpoint.open("disguised", write_widened(tmp_path / "widened", narrow, wide, hidden))
    found = fit(narrow, disguised, ROWS)
    torch.testing.assert_close(found.map.basis, hidden.basis, atol=1e-4, rtol=0)
    assert found.cosines == pytest.approx([1.0] * 4, abs=1e-5)
    assert found.seen == pytest.approx([1.0] * 4, abs=1e-5)
    assert found.corrected.gains == pytest.approx([1.0] * 4, abs=1e-5)


def test_a_fitted_map_is_nearer_than_one_that_looks_at_nothing(tmp_path):
    narrow, wide = model(tmp_path / "narrow", NARROW, depth=2), model(tmp_path / "wide", WIDE, depth=4, seed=1)
    found = fit(narrow, wide, ROWS)
    assert found.tokens == sum(map(len, ROWS)) == 399
    small, large = (
        [each / each.norm(dim=1, keepdim=True) for each in streams]
        for streams in (residual_streams(narrow, ROWS), list(residual_streams(wide, ROWS))[::2])
    )

    def cosines(stream):
        carried = [stream.carry(each) / stream.scale for each in small]
        return [float((a * b).sum(1).mean()) for a, b in zip(carried, large, strict=True)]

    assert cosines(found.map) == pytest.approx(found.cosines, abs=1e-5)
    assert sum(found.cosines) > sum(cosines(plain(32, 48, 2))) + 0.1


def test_gains_make_up_for_what_narrow_layers_do_not_see(tmp_path):
    narrow, wide = model(tmp_path / "narrow", NARROW, depth=2), model(tmp_path / "wide", WIDE, depth=2, seed=1)
    found = fit(narrow, wide, ROWS)
    for seen, gain, stream in zip(found.seen, found.corrected.gains, residual_streams(wide, ROWS), strict=True):
        inside = (stream.double() @ found.map.basis).norm(dim=1) / stream.double().norm(dim=1)
        assert float(inside.mean()) == pytest.approx(seen, abs=1e-6)
        assert seen * gain == pytest.approx(1)


def test_too_few_tokens_are_refused(tmp_path):
    narrow, wide = model(tmp_path / "narrow", NARROW, depth=1), model(tmp_path / "wide", WIDE, depth=1)
    with pytest.raises(CheckpointError, match="source narrow: at least 32 tokens to fit its width, got 9"):
        fit(narrow, wide, ROWS[:1])


def test_states_that_do_not_determine_a_map_are_refused():
    with pytest.raises(CheckpointError, match="streams that span 4 dimensions, got 3"):
        procrustes(noise(7, 3) @ noise(3, 4, seed=1))


def test_a_model_without_finite_states_is_refused(tmp_path):
    narrow, wide = model(tmp_path / "narrow", NARROW, depth=1), model(tmp_path / "wide", WIDE, depth=1)
    file = narrow.path / "model.safetensors"
    damaged = load_file(file) | {"model.layers.0.mlp.down_proj.weight": torch.full((32, 48), torch.nan)}
    save_file(damaged, file, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="source damaged: finite hidden states on the text, got NaN"):
        fit(Checkpoint.open("damaged", narrow.path), wide, ROWS)


def test_rows_are_the_lines_of_a_text(tmp_path):
    source = model(tmp_path / "source", NARROW, depth=1)
    text = tmp_path / "text.txt"
    text.write_text("1+1=2\n\n  \nüber\n" + "a" * 600 + "\nlast\n", encoding="utf-8")
    rows = token_rows(source, text, 10**6)
    assert [len(row) for row in rows] == [6, 5, 256, 5]  # <s> and one token a character; the model takes 256
    assert [len(row) for row in token_rows(source, text, 7)] == [6, 5]
    longer = dataclasses.replace(source, config={**source.config, "max_position_embeddings": 4096})
    assert [len(row) for row in token_rows(longer, text, 10**6)] == [6, 5, 512, 5]


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), (b"\n \n", "at least one line"), (b"\xff\xfe", "not UTF-8")]
)
def test_a_text_that_holds_nothing_is_refused(tmp_path, content, reason):
    source = model(tmp_path / "source", NARROW, depth=1)
    if content is not None:
        (tmp_path / "text.txt").write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"text: .*{reason}"):
        token_rows(source, tmp_path / "text.txt", 100)
