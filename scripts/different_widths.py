"""What stacking layers of two widths costs, measured on the zoo: the figures of docs/different_widths.md.

Two narrow models are trained beside the zoo's base (width 96): one that never saw it, and one cut from it. Each is
written at the base's shape, by a map fitted on search items, and switched with the base at three depths. What is
printed is the mean log-likelihood of an answer's token, in nats, on test items; a uniform guess has -5.95.

    python -m scripts.different_widths --out /tmp/widths
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich import box
from rich.console import Console
from rich.table import Table
from transformers import AutoTokenizer

from hm3 import zoo
from hm3.checkpoints import Checkpoint
from hm3.widening import fit
from scripts.widths.narrow import apart, cut
from scripts.widths.switching import Stacks, Switch
from scripts.zoo.scoring import Encoded, encode

SHARES = (0.25, 0.5, 0.75)  # of the depth, before the switch
UP = ("plain", "fitted")
DOWN = ("plain", "fitted", "corrected", "projected")


def main() -> None:
    """Measure, print tables, and print one JSON object as the last line."""
    arguments = _arguments()
    torch.set_num_threads(1)
    asked, judged = (_items(split, arguments.items) for split in ("search", "test"))
    rows = [list(item.tokens) for item in asked]
    models = {"apart": apart(arguments.out, arguments.chunks), "cut": cut(arguments.out, arguments.chunks, rows)}
    with TemporaryDirectory() as folder:
        results = {name: _measured(name, path, rows, judged, Path(folder)) for name, path in models.items()}
    for name, result in results.items():
        _show(name, result)
    print(json.dumps(results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the trained models; those that are there stay"
    )
    parser.add_argument("--chunks", type=int, default=10, help="length of each training, in chunks of 8192 items")
    parser.add_argument("--items", type=int, help="of each task and split, at most")
    return parser.parse_args()


def _items(split: str, most: int | None) -> list[Encoded]:
    tokenizer = AutoTokenizer.from_pretrained(zoo.source_path("base"))
    items = [item for task in zoo.EXPERTS for item in zoo.items(task, split)[:most]]
    return encode(tokenizer, ((item.prompt, item.answer) for item in items))


def _measured(name: str, path: Path, rows: list[list[int]], judged: list[Encoded], folder: Path) -> dict[str, Any]:
    narrow, wide = Checkpoint.open(name, path), Checkpoint.open("wide", zoo.source_path("base"))
    fitted = fit(narrow, wide, rows)
    stacks = Stacks(narrow, wide, fitted, judged, folder / name)
    switches = [Switch(round(share * narrow.depth), round(share * wide.depth)) for share in SHARES]
    return {
        "narrow": stacks.alone(narrow),
        "wide": stacks.alone(wide),
        "widened": {name: stacks.alone(stacks.sources[name]) for name in ("plain", "fitted", "corrected")},
        "parameters": [_parameters(narrow), _parameters(stacks.sources["fitted"]), _parameters(wide)],
        "tokens": fitted.tokens,
        "cosines": fitted.cosines,
        "seen": fitted.seen,
        "up": [{name: stacks.up(name, switch) for name in UP} for switch in switches],
        "down": [
            {name: stacks.projected(switch) if name == "projected" else stacks.down(name, switch) for name in DOWN}
            for switch in switches
        ],
    }


def _parameters(source: Checkpoint) -> int:
    return sum(math.prod(entry.shape) for entry in source.tensors.values())


def _show(name: str, result: dict[str, Any]) -> None:
    console = Console(width=100)
    table = Table(box=box.SIMPLE_HEAD, title=f"{name}: mean log-likelihood of an answer's token", title_justify="left")
    for column in ("", *DOWN):
        table.add_column(column, justify="right")
    table.add_row("wide alone", f"{result['wide']:.3f}")
    table.add_row("narrow alone", f"{result['narrow']:.3f}")
    table.add_row("narrow, widened", *(f"{result['widened'].get(each, math.nan):.3f}" for each in DOWN[:3]))
    for words, key in (("narrow, then wide", "up"), ("wide, then narrow", "down")):
        for share, row in zip(SHARES, result[key], strict=True):
            table.add_row(f"{words} from {share:.0%}", *(f"{row[each]:.3f}" if each in row else "" for each in DOWN))
    console.print(table)
    means = [sum(result[key]) / len(result[key]) for key in ("cosines", "seen")]
    console.print(f"cosine {means[0]:.3f}, seen of wide states {means[1]:.3f}, means over depths", highlight=False)


if __name__ == "__main__":
    main()
