"""Fitted values in files: scales as JSON, rotations in a safetensors file beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hm3.checkpoints.arrays import Arrays, content_digest, packed, unpacked
from hm3.errors import CheckpointError, ConfigurationError
from hm3.recipe import digest_of
from hm3.recipe.files import SEAMS
from hm3.recipe.junctions import Junction, State
from hm3.seams.fits import Transforms
from hm3.seams.transform import Transform


@dataclass(frozen=True, eq=False)
class SeamValues:
    """The transforms of some seams.

    Attributes:
        transforms: Seam -> transform.
    """

    transforms: Transforms = field(default_factory=dict)

    def of(self, seams: Iterable[Junction]) -> SeamValues:
        """Those of some seams, as far as they are known, in order."""
        wanted = sorted(set(seams))
        return SeamValues({seam: self.transforms[seam] for seam in wanted if seam in self.transforms})

    @cached_property
    def matrices(self) -> bytes | None:
        """The content of the file beside; None where there is no rotation."""
        arrays = {str(i): t.rotation for i, t in enumerate(self.transforms.values()) if t.rotation is not None}
        return packed(arrays) if arrays else None

    def to_json(self) -> dict[str, Any]:
        """As a JSON value with its digest, that of the file beside in it; `from_json` reads it back."""
        value = {
            "transforms": [_to_json(i, *each) for i, each in enumerate(self.transforms.items())],
            "matrices": self.matrices and {"file": SEAMS, "sha256": content_digest(self.matrices)},
        }
        return {"digest": digest_of(value), **value}

    @classmethod
    def from_json(cls, value: Any, folder: Path) -> SeamValues:
        """Read what `to_json` wrote.

        Args:
            value: The JSON value.
            folder: Where the file with the rotations lies.

        Raises:
            ConfigurationError: It is something else, or its digest does not fit.
            CheckpointError: The file is missing, or another one.
        """
        try:
            beside = value["matrices"]
            arrays = unpacked(folder / SEAMS, str(beside["sha256"])) if beside else {}
            values = cls(dict(_from_json(each, arrays) for each in value["transforms"]))
            fits, digest = digest_of({key: value[key] for key in ("transforms", "matrices")}), str(value["digest"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigurationError(f"recipe.seams: fitted values as HM3 writes them, got {error!r:.80}") from error
        if fits != digest:
            raise ConfigurationError(f"recipe.seams.digest: must fit the values, {fits[:12]}, got {digest[:12]!r}")
        return values


def _to_json(number: int, seam: Junction, transform: Transform) -> dict[str, Any]:
    place = {"left": list(seam.left), "home": list(seam.home), "scale": transform.scale}
    return place if transform.rotation is None else place | {"rotation": str(number)}


def _from_json(value: Mapping[str, Any], arrays: Arrays) -> tuple[Junction, Transform]:
    scale = value["scale"]
    if not isinstance(scale, float | int) or not math.isfinite(scale) or scale <= 0:
        raise ValueError(f"scale {scale!r}")
    rotation = arrays[value["rotation"]] if "rotation" in value else None
    if rotation is not None and (rotation.ndim != 2 or len({*rotation.shape}) > 1 or rotation.dtype != np.float32):
        raise CheckpointError(f"{SEAMS}: square matrices of float32, got {rotation.dtype} {list(rotation.shape)}")
    return Junction(_state(value["left"]), _state(value["home"])), Transform(float(scale), rotation)


def _state(value: Any) -> State:
    source, layer = value
    if not isinstance(source, str) or type(layer) is not int:
        raise TypeError(f"state {value!r:.60}")
    return State(source, layer)
