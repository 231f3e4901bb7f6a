"""The files of a folder that make its tokenizer and its chat templates."""

from __future__ import annotations

from pathlib import Path

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
)
TEMPLATES = "additional_chat_templates"  # where transformers keeps all but the default one


def tokenizer_files(folder: Path) -> tuple[Path, ...]:
    """Those that are there."""
    named = (folder / name for name in TOKENIZER_FILES)
    return tuple(file for file in (*named, *sorted((folder / TEMPLATES).glob("*.jinja"))) if file.is_file())
