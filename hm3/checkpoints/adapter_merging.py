"""An adapter becomes a checkpoint like any other: merged into its base, kept by content.

peft says what an adapter means (which modules, which scale, whole modules that were trained along); it does so on an
empty model, so that weights are read, changed and written one tensor at a time. Each product is computed in float64 and
rounded once to the base's type: the bits don't depend on the machine, nor does the digest that recipes know them by.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from hm3.checkpoints.adapter import MEANT, WEIGHTS, Adapter
from hm3.checkpoints.checkpoint import Checkpoint
from hm3.checkpoints.computed import Computed
from hm3.checkpoints.outgoing import Copied, Outgoing
from hm3.checkpoints.staging import staged_folder
from hm3.checkpoints.writer import fill_folder
from hm3.errors import CheckpointError
from hm3.recipe import digest_of

VERSION = 1  # of the arithmetic: raised whenever a merged tensor could come out differently
PREFIX = "base_model.model."  # of every tensor in peft's files
Change = Callable[[Tensor], Tensor]


def merged_adapter(adapter: Adapter, base: Checkpoint, cache: Path) -> Path:
    """The folder of the adapter merged into `base`, built if it is not there.

    It has the base's config and tensor types, and the adapter's tokenizer where one was saved with it.

    Args:
        adapter: The adapter.
        base: What it was trained on.
        cache: The folder of all merges.

    Raises:
        CheckpointError: The adapter doesn't fit the base.
        OutputError: The folder cannot be written.
    """
    target = Path(cache).expanduser() / digest_of([VERSION, base.digest, adapter.digest])[:32]
    if target.exists():
        return target
    changes = tensor_changes(adapter, base)
    generation = base.path / "generation_config.json"
    files = {"adapter.json": json.dumps({"adapter": adapter.digest, "base": base.digest}, indent=1) + "\n"}
    if generation.is_file():
        files[generation.name] = generation.read_text(encoding="utf-8")
    with staged_folder(target, existing="keep", sources=[adapter.path, base.path]) as folder:
        copy_from = adapter.path if adapter.tokenizer_files else base.path
        fill_folder(folder, base.config, _changed(base, changes), copy_from=copy_from, files=files)
    return target


def tensor_changes(adapter: Adapter, base: Checkpoint) -> dict[str, Change]:
    """What the adapter does to the base's tensors, by their names.

    Raises:
        CheckpointError: A target that the base lacks, another shape, or a tensor that no target asks for.
    """
    from peft.tuners.lora import LoraLayer
    from peft.utils import ModulesToSaveWrapper

    tensors = _Tensors(adapter)
    changes: dict[str, Change] = {}
    for name, module in _with_adapter(adapter, base).named_modules():
        if isinstance(module, LoraLayer):
            changes[f"{name}.weight"] = _product(name, module, tensors)
        elif isinstance(module, ModulesToSaveWrapper):
            for part, parameter in module.original_module.named_parameters():
                changes[f"{name}.{part}"] = _whole(f"{name}.{part}", parameter, tensors)
    if tensors.left:
        raise _misfit(adapter, base, f"tensors of its target modules only, got {sorted(tensors.left)[0]}")
    for name in changes:
        if name not in base.tensors:
            raise _misfit(adapter, base, f"targets with weights of their own in the base, got {name}")
    if "lm_head.weight" not in base.tensors and "model.embed_tokens.weight" in changes:
        raise _misfit(adapter, base, "an embedding that is not also the head, got model.embed_tokens.weight")
    return changes


class _Tensors:
    """The adapter's tensors, each taken once."""

    def __init__(self, adapter: Adapter) -> None:
        self.left = set(adapter.tensors)
        self._adapter = adapter
        try:
            self._file: Any = safe_open(adapter.path / WEIGHTS, framework="pt")
        except SafetensorError as error:
            raise CheckpointError(f"source {adapter.name} ({adapter.path}): {WEIGHTS}: {error}") from error

    def take(self, name: str, shape: torch.Size) -> Tensor:
        """The tensor called `name`, which must have a shape."""
        where, key = f"source {self._adapter.name} ({self._adapter.path})", PREFIX + name
        if key not in self.left:
            raise CheckpointError(f"{where}: {WEIGHTS}: a tensor {key}, got none")
        if self._adapter.tensors[key].shape != tuple(shape):
            found = list(self._adapter.tensors[key].shape)
            raise CheckpointError(f"{where}: {key} of the shape that its base asks for, {list(shape)}, got {found}")
        self.left.remove(key)
        tensor: Tensor = self._file.get_tensor(key)
        return tensor


def _with_adapter(adapter: Adapter, base: Checkpoint) -> Any:
    """The base's modules, empty, with the adapter's layers where peft puts them."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = {key: adapter.config[key] for key in MEANT if adapter.config.get(key) is not None}
    model_type = base.config["model_type"]
    values = {key: value for key, value in base.config.items() if key != "model_type"}
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft calls what transformers deprecates
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **values))  # type: ignore[no-untyped-call]
        try:
            config = LoraConfig(**{**settings, "init_lora_weights": False})
            return get_peft_model(model, config, low_cpu_mem_usage=True).get_base_model()
        except (TypeError, ValueError) as error:  # target modules that the base lacks, a rank that is none
            raise _misfit(adapter, base, f"targets that its base has, got {str(error)[:200]}") from error


def _product(name: str, module: Any, tensors: _Tensors) -> Change:
    (adapter,) = module.scaling
    for side in ("lora_A", "lora_B"):
        layers = getattr(module, side)
        shape = layers[adapter].weight.shape if adapter in layers else torch.Size()
        taken = tensors.take(f"{name}.{side}.weight", shape)
        layers[adapter].weight = nn.Parameter(taken.double(), requires_grad=False)
    return lambda tensor: (tensor.double() + module.get_delta_weight(adapter)).to(tensor.dtype)


def _whole(name: str, parameter: Tensor, tensors: _Tensors) -> Change:
    taken = tensors.take(name, parameter.shape)
    return lambda tensor: taken.to(tensor.dtype)


def _changed(base: Checkpoint, changes: Mapping[str, Change]) -> Iterator[Outgoing]:
    for name, entry in base.tensors.items():
        if name in changes:
            yield Computed(name, entry.dtype, entry.shape, partial(_after, changes[name], base, name))
        else:
            yield Copied.of(base, name)


def _after(change: Change, base: Checkpoint, name: str) -> Tensor:
    return change(base.read(name))


def _misfit(adapter: Adapter, base: Checkpoint, text: str) -> CheckpointError:
    return CheckpointError(f"source {adapter.name} ({adapter.path}): {text} (base {base.path})")
