"""What stacks answered to rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hm3.evaluation.rows import Bucket


@dataclass(frozen=True, slots=True)
class Responses:
    """What stacks answered.

    Attributes:
        log_likelihood: (stacks, rows) float64; NaN where a stack gave NaN or infinity.
        greedy: (stacks, rows) bool: every answer token was the argmax.
    """

    log_likelihood: Tensor
    greedy: Tensor

    @classmethod
    def empty(cls, stacks: int, rows: int) -> Responses:
        """Room for the answers of so many stacks on so many rows."""
        return cls(torch.zeros(stacks, rows, dtype=torch.float64), torch.zeros(stacks, rows, dtype=torch.bool))

    def fill(self, stack: int, bucket: Bucket, logits: Tensor) -> None:
        """Write one stack's answers on one bucket; `logits` is (real slots, vocabulary)."""
        chosen = logits.gather(1, bucket.targets[:, None])[:, 0] - logits.logsumexp(dim=1)
        missed = logits.argmax(dim=1) != bucket.targets
        totals = torch.zeros(len(bucket.rows), dtype=torch.float64, device=logits.device)
        totals.index_add_(0, bucket.owners, chosen.double())
        misses = torch.zeros(len(bucket.rows), dtype=torch.long, device=logits.device)
        misses.index_add_(0, bucket.owners, missed.long())
        rows = bucket.rows.cpu()
        self.log_likelihood[stack, rows] = torch.where(totals.isfinite(), totals, torch.nan).cpu()
        self.greedy[stack, rows] = (misses == 0).cpu()
