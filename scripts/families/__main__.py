"""Prove every family and write what was measured into docs/families.md.

python -m scripts.families
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from transformers.utils.logging import disable_progress_bar

from hm3.checkpoints import write_atomic
from scripts.families.page import PAGE, page
from scripts.families.proof import prove
from scripts.families.questions import instances
from scripts.families.refusals import refusals
from scripts.families.samples import SAMPLES


def main() -> None:
    """Measure, then write."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    disable_progress_bar()  # type: ignore[no-untyped-call] # transformers gives it no types
    questions = instances()
    with tempfile.TemporaryDirectory(prefix="hm3-families-") as folder:
        proofs = [prove(sample, Path(folder) / str(i), questions) for i, sample in enumerate(SAMPLES)]
    write_atomic(PAGE, page(PAGE.read_text(encoding="utf-8"), proofs, refusals()))
    failed = [proof.name for proof in proofs if not proof.passed]
    print(f"{len(proofs) - len(failed)} families proven{', FAILED: ' + ', '.join(failed) if failed else ''}: {PAGE}")


if __name__ == "__main__":
    main()
