"""Every family's row, proven; and the page that says so."""

import re

import pytest

from hm3.layers import FAMILIES
from scripts.families.page import PAGE, page
from scripts.families.proof import Proof, prove
from scripts.families.questions import instances
from scripts.families.refusals import refusals
from scripts.families.samples import SAMPLES


@pytest.fixture(scope="module")
def questions():
    return instances()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_stack_of_the_family_is_the_same_model_however_it_is_run(sample, questions, tmp_path):
    proof = prove(sample, tmp_path, questions)
    assert proof.passed, proof


def test_every_row_of_the_table_of_families_is_proven():
    assert {sample.model_type for sample in SAMPLES} >= set(FAMILIES)


def test_the_page_lists_what_is_proven_and_what_is_refused():
    text = PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([^|`]+?) \| \d", text, flags=re.MULTILINE)
    assert listed == [sample.name for sample in SAMPLES]
    for name, reason in refusals().items():
        assert f"| `{name}` | {reason} |" in text


def test_a_proof_fails_for_each_thing_that_can_be_wrong():
    good = Proof("x", 1e-6, 1e-6, 1e-6, 1, ())
    assert good.passed
    wrong = [(1e-4, 0, 0, 1, ()), (0, 1e-4, 0, 1, ()), (0, 0, 1e-3, 1, ()), (0, 0, 0, 2, ()), (0, 0, 0, 1, ("k",))]
    assert not any(Proof("x", *values).passed for values in wrong)


def test_a_new_table_replaces_the_old_one():
    text = "a <!-- proofs -->old<!-- /proofs --> b <!-- refused --><!-- /refused --> c"
    new = page(text, [Proof("Llama", 1e-6, 2e-6, 3e-6, 1, ())], {"mamba": "no"})
    assert "old" not in new
    assert "| Llama | 1e-06 | 2e-06 | 3e-06 | same | all |" in new
    assert "| `mamba` | no |" in new
    assert page(new, [], {}).count("<!-- proofs -->") == 1
