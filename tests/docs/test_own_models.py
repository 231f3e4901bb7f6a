"""The tutorial, done from its first line to its last."""

from tests.guides import ROOT, do, steps

GUIDE = ROOT / "docs" / "own_models.md"


def test_every_block_is_saved_or_run():
    found = list(steps(GUIDE))
    assert all(step.file or step.language in ("sh", "python") for step in found)
    assert sum(len(step.promised) for step in found) >= 12


def test_the_tutorial_does_what_it_says(tmp_path):
    for step in steps(GUIDE):
        said = do(step, tmp_path)
        if "hm3.evaluate" in step.text:
            assert float(said.split("largest difference")[1]) <= 1e-4
