"""The page on recipes, done from its first line to its last."""

from tests.guides import ROOT, do, steps

GUIDE = ROOT / "docs" / "recipes.md"


def test_every_block_is_saved_or_run():
    found = list(steps(GUIDE))
    assert all(step.file or step.language == "sh" for step in found)
    assert sum(bool(step.printed) for step in found) == 3
    assert sum(len(step.promised) for step in found) == 6


def test_the_page_does_what_it_says(tmp_path):
    for step in steps(GUIDE):
        said = do(step, tmp_path)
        if "head -n 1" in step.text:
            assert "# mergekit-yaml mergekit.yaml OUT --clone-tensors" in said
