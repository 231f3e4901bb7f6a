"""What a source's tokenizer is made of, whichever files it came in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hm3.checkpoints.content import file_digest
from hm3.checkpoints.reading import RefusedError, one_line, parse_json, read_json
from hm3.checkpoints.source_model import SourceModel
from hm3.checkpoints.stated_tokens import stated_tokens
from hm3.errors import CheckpointError

FILE = "tokenizer.json"
VOCABULARIES = (FILE, "tokenizer.model", "vocab.json")  # one of these gives tokens their numbers
MAKERS = (*VOCABULARIES, "merges.txt", "added_tokens.json", "special_tokens_map.json")
Found = TypeVar("Found", bound="Tokenizer | None")
PASSING = ("version", "padding", "truncation")  # of the file and of batches, not of a text's tokens


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A tokenizer's parts.

    Attributes:
        tokens: Number -> token, added ones too.
        merges: Pairs that become one token, the first first.
        scores: Number -> log-probability, for unigram vocabularies.
        added: Added token -> how it is found in a text.
        rules: Normalizer, pre-tokenizer and all the other parts, as tokenizers writes them.
    """

    tokens: Mapping[int, str]
    merges: tuple[tuple[str, str], ...]
    scores: Mapping[int, float]
    added: Mapping[str, Mapping[str, Any]]
    rules: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """The rows of an embedding that has one for each token."""
        return 1 + max(self.tokens, default=-1)


def same_files(first: SourceModel, second: SourceModel) -> bool:
    """Whether two sources have the same tokenizer to the byte; then nothing has to be read."""
    ours, theirs = _digests(first), _digests(second)
    return bool(ours) and ours == theirs


def both_tokenizers(first: SourceModel, second: SourceModel) -> tuple[Tokenizer, Tokenizer]:
    """The tokenizers of two sources in one form: as tokenizer.json has them, or as transformers makes them.

    Raises:
        CheckpointError: A source has none, or a damaged one.
    """
    ours, theirs = _tokenizer(first, _written), _tokenizer(second, _written)
    if ours is not None and theirs is not None:
        return ours, theirs
    return _tokenizer(first, _made), _tokenizer(second, _made)


def tokenizer_of(source: SourceModel) -> Tokenizer | None:
    """The source's tokenizer; None where it has none.

    Raises:
        CheckpointError: It is damaged.
    """
    if not any((source.path / name).is_file() for name in VOCABULARIES):
        return None
    return _tokenizer(source, _written) or _tokenizer(source, _made)


def _tokenizer(source: SourceModel, way: Callable[[Path], Found]) -> Found:
    try:
        return way(source.path)
    except RefusedError as error:
        raise CheckpointError(f"source {source.name} ({source.path}): {error}") from error
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        where = f"source {source.name} ({source.path})"
        raise CheckpointError(f"{where}: {FILE} as tokenizers writes it, got {one_line(error)}") from error


def _written(folder: Path) -> Tokenizer | None:
    """As tokenizer.json has it; None where there is no such file, or others name tokens that it lacks."""
    if not (folder / FILE).is_file():
        return None
    found = _parts(read_json(folder / FILE))
    return found if stated_tokens(folder) <= {*found.tokens.values()} else None


def _made(folder: Path) -> Tokenizer:
    """As transformers makes it of all its files."""
    return _parts(_converted(folder))


def _converted(folder: Path) -> dict[str, Any]:
    """A sentencepiece model, vocab.json with merges.txt, or tokenizer.json and added tokens, read by transformers."""
    from transformers import AutoTokenizer

    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise RefusedError(f"tokenizer: one of {', '.join(VOCABULARIES)}, got none")
    try:
        text = AutoTokenizer.from_pretrained(folder, trust_remote_code=False).backend_tokenizer.to_str()
    except Exception as error:  # sentencepiece, tokenizers and transformers each have their own
        raise RefusedError(f"tokenizer: files that transformers can read, got {one_line(error)}") from error
    return parse_json(text.encode(), FILE)


def _parts(parts: dict[str, Any]) -> Tokenizer:
    model = dict(parts.pop("model"))
    listed = parts.pop("added_tokens", None) or []
    vocab, merges = model.pop("vocab"), model.pop("merges", None) or ()
    tokens, scores = _numbered(vocab)
    tokens |= {int(token["id"]): token["content"] for token in listed}
    if not all(isinstance(token, str) for token in tokens.values()):
        raise TypeError("a token that is no text")
    return Tokenizer(
        tokens=tokens,
        merges=tuple(_pair(merge) for merge in merges),
        scores=scores,
        added={token["content"]: {key: token[key] for key in sorted(token) if key != "id"} for token in listed},
        rules={part: value for part, value in {**parts, "model": model}.items() if part not in PASSING},
    )


def _numbered(vocab: Any) -> tuple[dict[int, str], dict[int, float]]:
    """Number -> token and, for unigram models, number -> score."""
    if isinstance(vocab, dict):
        return {int(number): token for token, number in vocab.items()}, {}
    return {i: piece[0] for i, piece in enumerate(vocab)}, {i: float(piece[1]) for i, piece in enumerate(vocab)}


def _pair(merge: Any) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    if not (isinstance(left, str) and isinstance(right, str)):
        raise TypeError("a merge that is no pair of texts")
    return left, right


def _digests(source: SourceModel) -> dict[str, str]:
    files = [source.path / name for name in (*MAKERS, "tokenizer_config.json")]
    return {file.name: file_digest(file) for file in files if file.is_file()}
