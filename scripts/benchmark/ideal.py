"""The least that scoring some stacks can take: every distinct piece of work once, timed by itself.

A piece of work is a layer after one prefix on one padded bucket; the last layer, norm and head run at answer positions
only, once for each stack. Each of the evaluator's processes has its own share of the rows, and so has its twin here.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.evaluation.rows import Bucket, Row, pack
from hm3.layers import LayerBank
from hm3.recipe import Content

TRIES = 9  # of each piece, of which the median counts


@dataclass(frozen=True)
class Work:
    """What there is to do on one bucket.

    Attributes:
        layers: Distinct (host, prefix) pairs, without the stacks' last layers.
        ends: Stacks.
        hosts: Embeddings.
    """

    layers: int
    ends: int
    hosts: int

    @classmethod
    def of(cls, stacks: Sequence[Content]) -> Work:
        """Of scoring `stacks` once."""
        inner = {(stack.embedding, stack.path[:length]) for stack in stacks for length in range(1, len(stack.path))}
        return cls(len(inner), len(stacks), len({stack.embedding for stack in stacks}))


class Twins:
    """Processes of one thread, each with its share of the rows, that time pieces of work when asked.

    Args:
        rows: All rows.
        checkpoints: The sources by name.
        processes: How many share the rows.
    """

    def __init__(self, rows: Sequence[Row], checkpoints: Mapping[str, Checkpoint], processes: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._links, self._processes = [], []
        for share in deal(rows, processes):
            here, there = spawn.Pipe()
            process = spawn.Process(target=_serve, args=(there, share, dict(checkpoints)), daemon=True)
            process.start()
            there.close()
            self._links.append(here)
            self._processes.append(process)

    def __enter__(self) -> Twins:
        return self

    def __exit__(self, *_: object) -> None:
        for link, process in zip(self._links, self._processes, strict=True):
            link.close()
            process.join(timeout=5)

    def seconds(self, work: Work) -> float:
        """Of the slowest process, all working at once."""
        for link in self._links:
            link.send(work)
        return max(float(link.recv()) for link in self._links)


def deal(rows: Sequence[Row], shares: int) -> list[list[Row]]:
    """Rows in turn, longest first: as the evaluator deals them."""
    order = sorted(range(len(rows)), key=lambda i: (-len(rows[i].tokens), i))
    return [[rows[i] for i in sorted(order[share::shares])] for share in range(shares)]


def _serve(link: Connection, rows: Sequence[Row], checkpoints: Mapping[str, Checkpoint]) -> None:
    from hm3.evaluation.process import _keep_freed_memory  # the memory settings of a scoring process

    torch.set_num_threads(1)
    _keep_freed_memory()
    bank = LayerBank(torch.device("cpu"), torch.float32)
    for checkpoint in checkpoints.values():
        bank.add(checkpoint.source.digest, checkpoint)
    pieces = Pieces(bank, [checkpoint.source.digest for checkpoint in checkpoints.values()], rows)
    while True:
        try:
            work = link.recv()
        except EOFError:
            return
        link.send(pieces.seconds(work))


class Pieces:
    """Times single pieces of work.

    Args:
        bank: The weights.
        sources: Digests of the sources; pieces take them in turn, so that weights are as cold as in a real run.
        rows: The rows.
    """

    def __init__(self, bank: LayerBank, sources: Sequence[str], rows: Sequence[Row]) -> None:
        self._bank, self._sources = bank, sources
        self._buckets = pack(rows)
        self._forward = bank.forward(sources[0], max(len(row.tokens) for row in rows))

    @torch.no_grad()
    def seconds(self, work: Work) -> float:
        """Of all that there is to do, on all buckets."""
        return sum(self._on(bucket, work) for bucket in self._buckets)

    def _on(self, bucket: Bucket, work: Work) -> float:
        embedded = self._forward.begin(self._bank.embedding(self._sources[0]), bucket.tokens)
        hidden = self._forward.layer(self._bank.layer(self._sources[0], 0), embedded)
        pieces: Sequence[tuple[int, Callable[[str], Any]]] = (
            (work.hosts, lambda source: self._forward.begin(self._bank.embedding(source), bucket.tokens)),
            (work.layers, lambda source: self._forward.layer(self._bank.layer(source, 1), hidden)),
            (work.ends, lambda source: self._end(source, hidden, bucket)),
        )
        return sum(count * self._median(piece) for count, piece in pieces)

    def _end(self, source: str, hidden: Tensor, bucket: Bucket) -> Tensor:
        last = self._forward.last_layer(self._bank.layer(source, 2), hidden, bucket.slots, bucket.used)
        return self._forward.logits(self._bank.ending(source), last).logsumexp(dim=1)

    def _median(self, piece: Callable[[str], Any]) -> float:
        seconds = []
        for number in range(TRIES):
            began = time.perf_counter()
            piece(self._sources[number % len(self._sources)])
            seconds.append(time.perf_counter() - began)
        return statistics.median(seconds)
