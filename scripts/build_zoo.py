"""Train the built-in zoo, or check it: `python -m scripts.build_zoo [--seed 0] [--out DIR] [--check]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

import hm3.zoo
from scripts.zoo import acceptance, building


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of initial weights and training items")
    parser.add_argument("--out", type=Path, default=hm3.zoo.MODELS, help="folder of the models")
    parser.add_argument("--check", action="store_true", help="judge the models in the folder, train nothing")
    parser.add_argument("--processes", type=int, default=2, help="experts trained at the same time")
    return parser.parse_args()


def _check(models: Path, record: bool) -> bool:
    items = acceptance.test_items(models)
    sources = acceptance.score_sources(models, items)
    averages = acceptance.score_averages(models, items)
    print(acceptance.render(sources), acceptance.render(averages), sep="\n\n", end="\n\n")
    if record:
        building.write_json(models / "acceptance.json", acceptance.record(sources, averages))
    verdicts = acceptance.judge(sources, averages)
    for verdict in verdicts:
        print("pass" if verdict.passed else "FAIL", verdict.rule)
    return all(verdict.passed for verdict in verdicts)


def main() -> int:
    """Do what the command line asks; return the exit status, 1 if a rule of acceptance fails."""
    arguments = _arguments()
    torch.set_num_threads(1)
    if not arguments.check:
        building.build(arguments.out, arguments.seed, arguments.processes)
    return 0 if _check(arguments.out, record=not arguments.check) else 1


if __name__ == "__main__":
    sys.exit(main())
