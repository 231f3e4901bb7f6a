"""Every family, proven on small random models; and what is refused, with the reason."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from transformers.utils.logging import disable_progress_bar

from scripts.benchmark.report import Report, Request, rounded
from scripts.families.proof import Proof, prove
from scripts.families.questions import instances
from scripts.families.refusals import refusals
from scripts.families.samples import SAMPLES, Sample


def run(request: Request) -> Report:
    """Prove every family; the two forms do not differ."""
    disable_progress_bar()  # type: ignore[no-untyped-call] # transformers gives it no types
    questions = instances()
    proofs = [Proof(**request.kept(each.name, partial(_proof, each, questions, request))) for each in SAMPLES]
    refused = refusals()
    passed, failed = ([proof.name for proof in proofs if proof.passed is wanted] for wanted in (True, False))
    summary = {
        "passed": passed,
        "failed": failed,
        "refused": refused,
        "max_logit_difference": max(rounded(max(proof.reference, proof.reloaded), 2) for proof in proofs),
        "max_likelihood_difference": max(rounded(proof.likelihood, 2) for proof in proofs),
    }
    return Report(summary, {"proofs": [asdict(proof) for proof in proofs]}, [_table(proofs), _refusals(refused)])


def _proof(sample: Sample, questions: list[Any], request: Request) -> dict[str, Any]:
    request.tell(sample.name)
    with tempfile.TemporaryDirectory(prefix="hm3-families-") as folder:
        return asdict(prove(sample, Path(folder), questions))


def _table(proofs: list[Proof]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("family", "reference", "reloaded", "lm-eval", "texts", "keys", ""):
        table.add_column(column, justify="left" if column in ("family", "") else "right")
    for proof in proofs:
        figures = (f"{figure:.1e}" for figure in (proof.reference, proof.reloaded, proof.likelihood))
        table.add_row(proof.name, *figures, str(proof.texts), str(len(proof.keys)), "" if proof.passed else "FAILED")
    return table


def _refusals(refused: dict[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("refused")
    table.add_column("reason")
    for name, reason in refused.items():
        table.add_row(name, reason)
    return table
