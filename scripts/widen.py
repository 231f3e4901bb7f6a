"""Experimental: write a narrow model at a wide model's shape, so that HM3 can stack layers of both.

    python -m scripts.widen /models/small --wide /models/large --text prompts.txt --out /models/small-widened

The result is a checkpoint that computes what the narrow model does, and is then a source like any other. The text, one
passage a line, is what the map between the two residual streams is fitted on: take it from what the search may see,
never from test items. See docs/different_widths.md.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.staging import check_target
from hm3.checks import whole
from hm3.composition.source_paths import open_source
from hm3.errors import ConfigurationError, HM3Error
from hm3.machine import Machine
from hm3.widening import Fit, StreamMap, check_room, fit, plain, token_rows, write_widened


def main() -> int:
    """Do what the command line asks; return the exit status."""
    arguments = _arguments()
    try:
        _widen(arguments, Console())
    except HM3Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("narrow", help="the model to widen: a folder, or an id on the Hub")
    parser.add_argument("--wide", required=True, help="the model whose shape it is to have")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    parser.add_argument(
        "--text", type=Path, help="what to fit on; without it the first coordinates are taken as they are"
    )
    parser.add_argument("--tokens", type=int, default=8192, help="how many tokens of the text, at most")
    parser.add_argument("--device", default="auto", help="where both models run for the fit: cpu, cuda, cuda:1 ...")
    parser.add_argument("--corrected", action="store_true", help="gains for layers that follow wide ones (not exact)")
    return parser.parse_args()


def _widen(arguments: argparse.Namespace, console: Console) -> None:
    cache = Path(os.environ.get("HM3_CACHE", "~/.cache/hm3")).expanduser() / "merges"
    wide = open_source("wide", arguments.wide, cache)
    narrow = open_source("narrow", arguments.narrow, cache)
    check_target(arguments.out.absolute(), existing="refuse", sources=[narrow.path, wide.path])
    for warning in check_room(narrow, wide):
        console.print(f"note: {warning}", soft_wrap=True)
    written = write_widened(arguments.out, narrow, wide, _map(arguments, narrow, wide, console))
    console.print("experimental: what is exact in a stack and what is not, docs/different_widths.md says")
    before, after = (_parameters(source) for source in (narrow, Checkpoint.open("widened", written)))
    console.print(f"{written}: {before:,} parameters became {after:,}", soft_wrap=True, highlight=False)


def _map(arguments: argparse.Namespace, narrow: Checkpoint, wide: Checkpoint, console: Console) -> StreamMap:
    if arguments.text is None:
        if arguments.corrected:
            raise ConfigurationError("--corrected: only with --text, which the gains are measured on, got none")
        return plain(narrow.config["hidden_size"], wide.config["hidden_size"], narrow.depth)
    rows = token_rows(narrow, arguments.text, whole("--tokens", arguments.tokens, 1))
    fitted = fit(narrow, wide, rows, Machine(device=arguments.device).place)
    _show(fitted, console)
    return fitted.corrected if arguments.corrected else fitted.map


def _show(fitted: Fit, console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, title=f"how the streams match, on the {fitted.tokens} tokens of the fit")
    for column in ("before narrow layer", "cosine", "seen of a wide state"):
        table.add_column(column, justify="right")
    last = len(fitted.cosines) - 1
    for layer, (cosine, seen) in enumerate(zip(fitted.cosines, fitted.seen, strict=True)):
        table.add_row("the end" if layer == last else str(layer), f"{cosine:.3f}", f"{seen:.3f}")
    console.print(table)


def _parameters(source: Checkpoint) -> int:
    return sum(math.prod(entry.shape) for entry in source.tensors.values())


if __name__ == "__main__":
    sys.exit(main())
