"""For every family: seams in the weights compute what seams between the layers do, or they are refused."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from hm3.errors import CheckpointError
from hm3.layers import FAMILIES
from hm3.seams import RULES, check_foldable
from hm3.seams.families import STREAMS
from hm3.stacks import assemble
from tests.tiny_families import SAMPLES, write_source
from tests.tiny_seams import Lab

UNTURNED = {"gemma2", "gemma3_text", "olmo2", "gpt_neox", "gpt2"}
ALLOWED = [
    pytest.param(sample, rule, id=f"{sample.name}-{rule}")
    for sample in SAMPLES
    for rule in RULES
    if rule == "scale" or sample.model_type not in UNTURNED
]
TURNED = [case for case in ALLOWED if case.values[1] == "rotation"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Sample -> two sources of it, each written once."""
    made = {}

    def of(sample):
        if sample.name not in made:
            folder = tmp_path_factory.mktemp("sources")
            made[sample.name] = {
                name: write_source(folder / name, sample, depth=4, seed=seed) for seed, name in enumerate("ab")
            }
        return made[sample.name]

    return of


@pytest.mark.parametrize(("sample", "rule"), ALLOWED)
def test_the_exported_and_the_assembled_model_compute_what_the_scorer_does(sources, tmp_path, sample, rule):
    lab = Lab(sources(sample), rule)
    recipe = lab.recipe()
    hooked = lab.hooked(recipe)
    model, report = AutoModelForCausalLM.from_pretrained(
        lab.write(tmp_path / "model", recipe), dtype=torch.float32, output_loading_info=True
    )
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assembled = assemble(recipe, lab.bank, lab.fits.of([recipe.content]))
    with torch.no_grad():
        torch.testing.assert_close(model(lab.tokens).logits, hooked, atol=1e-4, rtol=0)
        torch.testing.assert_close(assembled(lab.tokens).logits, hooked, atol=1e-4, rtol=0)
    assert (hooked - lab.plain(recipe)).abs().max() > 0.01  # the seams do something


@pytest.mark.parametrize(("sample", "rule"), TURNED[:2])
def test_an_assembled_stack_writes_the_same_text_with_and_without_a_cache(sources, sample, rule):
    lab = Lab(sources(sample), rule)
    recipe = lab.recipe()
    model = assemble(recipe, lab.bank, lab.fits.of([recipe.content]))
    texts = [model.generate(lab.tokens, max_new_tokens=16, do_sample=False, use_cache=cache) for cache in (True, False)]
    assert torch.equal(*texts)


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.model_type in UNTURNED], ids=lambda sample: sample.name)
def test_a_rotation_that_no_stock_weights_can_hold_is_refused_with_the_reason(sources, sample):
    reason = "subtract the mean" if sample.model_type.startswith("gpt") else "weighs the stream's coordinates"
    message = f"^source a: for seam=rotation, a family whose stream can be turned, got {sample.model_type}: .*{reason}"
    with pytest.raises(CheckpointError, match=message):
        check_foldable("rotation", sources(sample).values())


def test_every_family_that_can_be_stacked_says_what_seams_do_to_its_tensors():
    assert set(STREAMS) == set(FAMILIES)


def test_a_tensor_that_nobody_knows_is_refused(sources, tmp_path, monkeypatch):
    lab = Lab(sources(SAMPLES[0]), "scale")
    row = STREAMS["llama"]
    known = {name: role for name, role in row.roles.items() if "down_proj" not in name}
    monkeypatch.setattr("hm3.seams.families.STREAMS", {"llama": type(row)(known)})
    message = r"^source a: for seams, a layer whose tensors are those of a plain llama, got mlp\.down_proj\.weight$"
    with pytest.raises(CheckpointError, match=message):
        lab.write(tmp_path / "model", lab.recipe())
    assert not (tmp_path / "model").exists()
