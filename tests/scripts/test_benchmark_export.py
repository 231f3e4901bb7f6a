import os
import shutil
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForCausalLM

from scripts.benchmark import export
from scripts.benchmark.export_contest import Case, Contest, Plan
from scripts.benchmark.export_figures import figures
from scripts.benchmark.export_models import FULL, SMALL, Shape, mixed_stack, write_pair
from scripts.benchmark.export_side import SIDES, Job
from scripts.benchmark.memory import own_peak, reset_peak

TINY = Shape(depth=4, width=64, inner=96, heads=8, vocabulary=128)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("pair"), TINY, seed=0)


def test_the_full_form_has_more_than_two_gigabytes_and_the_quick_form_a_tenth():
    assert FULL.nbytes == 2 * 1_100_048_384  # the weights of TinyLlama-1.1B, two bytes each
    assert 0.08 < SMALL.nbytes / FULL.nbytes < 0.1


def test_the_same_seed_gives_the_same_two_models(sources, tmp_path):
    again, other = (write_pair(tmp_path / str(seed), TINY, seed) for seed in (0, 1))
    assert sources["a"].digest == again["a"].digest
    assert len({one.digest for one in (*sources.values(), *other.values())}) == 4


def test_stock_transformers_loads_them(sources):
    model, info = AutoModelForCausalLM.from_pretrained(sources["b"].path, output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert model.dtype == torch.bfloat16
    assert model.lm_head.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_the_stack_mixes_the_sources_and_repeats_layers(sources):
    path = [(ref.source, ref.layer) for ref in mixed_stack(sources).path]
    assert path == [("a", 0), ("a", 1), ("b", 1), ("a", 1), ("b", 2), ("b", 3)]


@pytest.mark.filterwarnings("ignore")  # mergekit's own
def test_both_sides_write_the_same_and_are_compared(sources, tmp_path, monkeypatch):
    folders = {name: str(source.path) for name, source in sources.items()}
    case = Case(40_000)
    plan = Plan(TINY, {"": case}, 1, ("in order",))
    request = SimpleNamespace(kept=lambda name, make: make(), tell=print)
    for change in (False, True):
        for side, write in SIDES.items():
            out = tmp_path / f"{side} "
            write(Job(side, folders, mixed_stack(sources).to_json(), str(out), case.shard))
            assert len(list(out.glob("*.safetensors"))) > 2
        if change:
            file = next((tmp_path / "ours ").glob("*.safetensors"))
            content = bytearray(file.read_bytes())
            content[-1] ^= 1
            file.write_bytes(content)
        contest = Contest(tmp_path, sources, {}, plan, request)
        assert contest._same("")["equal"] is not change
        assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_said_first(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    with pytest.raises(SystemExit, match=r"13 GB free in .*, got 1 GB \(set TMPDIR\)"):
        export._check_room(tmp_path, FULL)


def test_a_peak_that_was_reset_counts_from_now():
    held = bytearray(os.urandom(64 << 20))
    assert own_peak() > len(held)
    del held
    high = own_peak()
    reset_peak()
    assert own_peak() < high - (32 << 20)


def test_figures_are_medians_of_seconds_and_the_highest_peak():
    def one(seconds, over):
        return {"seconds": seconds, "baseline": 100, "peak": 100 + over}

    rounds = {"ours": [one(1.0, 1), one(3.0, 9), one(2.0, 2)], "rival": [one(4.0, 5), one(8.0, 6), one(6.0, 7)]}
    parts = {
        f"{side}/{case}/{number}": each
        for case in ("", "cold")
        for side in rounds
        for number, each in enumerate(rounds[side])
    }
    parts |= {f"same/{case}": {"equal": True, "bytes": 1000} for case in ("", "cold")}
    summary = figures(parts, {"": 10, "cold": 10}, 3).summary
    assert (summary["ours_s"], summary["rival_s"]) == (2.0, 6.0)
    assert (summary["ours_peak_over_baseline"], summary["rival_peak_over_baseline"]) == (9, 7)
    assert (summary["ours_s_cold"], summary["shard"], summary["equal"]) == (2.0, 10, True)
    parts["same/cold"] = {"equal": False, "bytes": 1000}
    assert figures(parts, {"": 10, "cold": 10}, 3).summary["equal"] is False
