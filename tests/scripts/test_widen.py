"""The commands for models of different widths, called as users call them."""

import json
import sys

import pytest
import torch
from transformers import AutoModelForCausalLM

from scripts import different_widths, widen
from tests.tiny_widths import NARROW, WIDE, model


@pytest.fixture
def pair(tmp_path):
    narrow = model(tmp_path / "narrow", NARROW, depth=2)
    return narrow, model(tmp_path / "wide", WIDE, depth=3, seed=1)


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("".join(f"{a}+{b}={a + b}\n" for a in range(9) for b in range(9)))
    return file


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["widen", *map(str, arguments)])
    return widen.main()


@torch.no_grad()
def logits(path):
    return AutoModelForCausalLM.from_pretrained(path)(torch.arange(4, 30)[None]).logits


@pytest.mark.parametrize("fitted", [True, False])
def test_a_narrow_model_is_written_at_the_wide_shape(pair, text, tmp_path, monkeypatch, capsys, fitted):
    narrow, wide = pair
    options = ["--text", text] if fitted else []
    assert call(monkeypatch, narrow.path, "--wide", wide.path, "--out", tmp_path / "out", *options) == 0
    torch.testing.assert_close(logits(tmp_path / "out"), logits(narrow.path), atol=2e-5, rtol=0)
    # 2·128·32 + 2·(2·32·32 + 2·32·16 + 3·32·48 + 2·32) + 32, and
    # 2·128·48 + 2·(2·48·96 + 2·48·48 + 3·48·72 + 2·48) + 48
    assert "23,712 parameters became 60,912" in (said := capsys.readouterr().out)
    assert ("tokens of the fit" in said) is fitted


def test_gains_are_written_when_they_are_asked_for(pair, text, tmp_path, monkeypatch):
    narrow, wide = pair
    out = tmp_path / "out"
    assert call(monkeypatch, narrow.path, "--wide", wide.path, "--out", out, "--text", text, "--corrected") == 0
    gains = json.loads((out / "widening.json").read_text())["gains"]
    assert len(gains) == 3
    assert min(gains) > 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["{wide}", "--wide", "{narrow}"], "source narrow: hidden_size at most that of wide, 32, got 48"),
        (["{narrow}", "--wide", "{wide}", "--text", "nothing.txt"], "text: a file with text to fit on, got nothing"),
        (["{narrow}", "--wide", "{wide}", "--text", "{text}", "--tokens", "0"], "--tokens: an integer of at least 1"),
        (["{narrow}", "--wide", "{wide}", "--text", "{text}", "--tokens", "9"], "at least 32 tokens to fit its width"),
        (["{narrow}", "--wide", "{wide}", "--text", "{text}", "--device", "abacus"], "a device of here, got 'abacus'"),
        (["{narrow}", "--wide", "{wide}", "--corrected"], "--corrected: only with --text"),
        (["/nowhere", "--wide", "{wide}"], "source narrow (/nowhere): path: a folder, got nothing there"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(pair, text, tmp_path, monkeypatch, capsys, arguments, reason):
    places = {"narrow": pair[0].path, "wide": pair[1].path, "text": text}
    filled = [argument.format(**places) for argument in arguments]
    assert call(monkeypatch, *filled, "--out", tmp_path / "out") == 1
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert reason in line
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_there_is_refused_before_the_fit(pair, text, tmp_path, monkeypatch, capsys):
    narrow, wide = pair
    monkeypatch.setattr(widen, "fit", None)
    for out in (tmp_path, narrow.path):
        assert call(monkeypatch, narrow.path, "--wide", wide.path, "--text", text, "--out", out) == 1
        assert f"output {out}: " in capsys.readouterr().err


def test_the_measurement_ends_with_its_figures(tmp_path, monkeypatch, capsys):
    """With untrained models: what they score is no matter here, but widened ones score the same."""
    monkeypatch.setattr(sys, "argv", ["different_widths", "--out", str(tmp_path), "--chunks", "0", "--items", "4"])
    different_widths.main()
    results = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(results) == {"apart", "cut"}
    for result in results.values():
        for name in ("plain", "fitted"):
            assert result["widened"][name] == pytest.approx(result["narrow"], abs=0.05)  # rounded to bfloat16 once more
        assert [set(row) for row in result["down"]] == [{"plain", "fitted", "corrected", "projected"}] * 3
    base, cut = results["cut"]["wide"], results["cut"]["up"][1]
    assert results["apart"]["up"][1]["fitted"] < cut["fitted"] <= base  # what is cut from the base is nearer to it
