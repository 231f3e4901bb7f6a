"""What a repository shows already, and whether it may be overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from huggingface_hub import HfApi

from hm3.recipe.files import BESIDE, RECIPE

KEPT = ".gitattributes"  # the Hub's own
WRITTEN = (
    KEPT, *BESIDE, "*config.json", "model*.safetensors",
    "model.safetensors.index.json", "tokenizer*", "*tokens*.json", "vocab.json", "merges.txt", "chat_template.*",
    "additional_chat_templates/*.jinja",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Published:
    """What ``main`` shows.

    Attributes:
        commit: Its commit.
        files: Its files.
        private: Whether only those with access may see it.
    """

    commit: str
    files: tuple[str, ...]
    private: bool

    @classmethod
    def of(cls, api: HfApi, repository: str) -> Published:
        """Ask the Hub."""
        info = api.model_info(repository)
        files = tuple(sibling.rfilename for sibling in info.siblings or ())
        return cls(str(info.sha), files, bool(info.private))

    @property
    def foreign(self) -> tuple[str, ...]:
        """The files that HM3 did not write."""
        known = WRITTEN if RECIPE in self.files else (KEPT,)  # whoever has a recipe was written by HM3
        return tuple(file for file in self.files if not any(fnmatchcase(file, pattern) for pattern in known))
