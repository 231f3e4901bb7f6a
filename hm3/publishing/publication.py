"""A repository of the Hub, and the one commit that makes it hold a model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from hm3.checkpoints.hub_errors import LOGIN, checked_token, hub_failures
from hm3.errors import ConfigurationError, OutputError
from hm3.publishing.published import KEPT, Published

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Publication:
    """A repository of the Hub to which a model is to go.

    Attributes:
        repository: ``org/name``.
        private: Whether only those with access may see it.
        overwrite: Whether a repository that holds something else may be overwritten.
    """

    repository: str
    private: bool
    overwrite: bool = False

    def check(self) -> None:
        """See, before the long work, that there is a token and that nothing is in the way.

        Raises:
            ConfigurationError: It is no name of a repository, or nobody is logged in.
            OutputError: The repository exists and is not to be overwritten, or the Hub refuses.
        """
        _check_name(self.repository)
        if checked_token() is None:
            raise ConfigurationError(f"push_to_hub: a token of the Hub, got none ({LOGIN})")
        with self._failures():
            self._published(_api())

    def push(self, folder: Path, title: str) -> str:
        """Make ``main`` hold what the folder holds; what else was there is removed, and stays in the history.

        Args:
            folder: The model, whole.
            title: What the commit says.

        Returns:
            Where the model is to be seen.

        Raises:
            OutputError: It fails; ``main`` is as it was, and what has arrived is kept for the next time.
        """
        api = _api()
        with self._failures():
            there = self._published(api) or self._created(api)
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            additions = [CommitOperationAdd(path.relative_to(folder).as_posix(), path) for path in files]
            self._send(api, additions)
            gone = sorted({*there.files} - {addition.path_in_repo for addition in additions} - {KEPT})
            api.create_commit(
                self.repository,
                [*additions, *map(CommitOperationDelete, gone)],
                commit_message=title,
                parent_commit=there.commit,
            )
        return f"{api.endpoint}/{self.repository}"

    def _send(self, api: HfApi, additions: Sequence[CommitOperationAdd]) -> None:
        """Send what is not there yet; a file that has arrived whole is never sent again."""
        for number, addition in enumerate(additions, start=1):
            api.preupload_lfs_files(self.repository, [addition], free_memory=False, gitignore_content="")
            _log.info("%s: %s is there (%d of %d)", self.repository, addition.path_in_repo, number, len(additions))

    def _published(self, api: HfApi) -> Published | None:
        """What is there; None without a repository.

        Raises:
            OutputError: It must not be overwritten, or the wrong people can see it.
        """
        try:
            there = Published.of(api, self.repository)
        except RepositoryNotFoundError:
            return None
        if there.private != self.private:
            stated, came = str(self.private).lower(), str(there.private).lower()
            raise OutputError(
                f"push_to_hub {self.repository}: private={stated}, as stated, got a repository with private={came}"
            )
        if there.foreign and not self.overwrite:
            rule = "a new repository or one that HM3 wrote, unless overwrite=true"
            raise OutputError(f"push_to_hub {self.repository}: {rule}, got one with {there.foreign[0]!r}")
        return there

    def _created(self, api: HfApi) -> Published:
        api.create_repo(self.repository, private=self.private)
        return Published.of(api, self.repository)

    def _failures(self) -> AbstractContextManager[None]:
        return hub_failures(f"push_to_hub {self.repository}: a repository that can be written", OutputError)


def _api() -> HfApi:
    return HfApi(token=True, library_name="hm3")


def _check_name(repository: str) -> None:
    try:
        validate_repo_id(repository)
        if "/" not in repository:
            raise HFValidationError("no organisation or user before a slash")
    except HFValidationError as error:
        reason = str(error).split(":")[0]
        raise ConfigurationError(f"push_to_hub: org/name, got {str(repository)[:100]!r} ({reason})") from None
