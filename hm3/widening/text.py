"""Token rows from a plain text file: one row a line."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

from hm3.checkpoints import Checkpoint
from hm3.errors import ConfigurationError
from hm3.widening.states import Rows

LONGEST = 512  # tokens of a row


def token_rows(source: Checkpoint, file: Path, most: int) -> Rows:
    """The lines of a text as `source` reads them, each cut at `LONGEST` tokens and at the source's own limit.

    Args:
        source: Whose tokenizer reads.
        file: UTF-8 text. Lines without text are left out.
        most: After this many tokens no further line is taken.

    Raises:
        ConfigurationError: The file cannot be read, or holds no text.
    """
    from transformers import AutoTokenizer

    try:
        lines = [line for line in Path(file).read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigurationError(f"text: a file with text to fit on, got {file} ({reason})") from error
    if not lines:
        raise ConfigurationError(f"text: at least one line, got none in {file}")
    longest = min(LONGEST, int(source.config.get("max_position_embeddings") or LONGEST))
    rows = [row[:longest] for row in AutoTokenizer.from_pretrained(source.path)(lines)["input_ids"] if row]
    before = [0, *accumulate(map(len, rows))]
    return [row for row, count in zip(rows, before, strict=False) if count < most]
