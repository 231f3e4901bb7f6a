"""Preference-conditioned tensors over tiny sources, and the merged models that they stand for, written out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from hm3.checkpoints import Checkpoint
from hm3.layers import family_of
from hm3.parameter.pareto import ParetoTensor, Term
from hm3.recipe import Source


def matrices(base: Checkpoint) -> dict[str, tuple[int, int]]:
    """The weight matrices of a source's layers: name -> shape."""
    family = family_of(base.name, base.config)
    prefixes = tuple(family.layer_prefix(layer) for layer in range(base.depth))
    shapes = {name: entry.shape for name, entry in base.tensors.items() if name.startswith(prefixes)}
    return {name: (shape[0], shape[1]) for name, shape in shapes.items() if len(shape) == 2}


def random_tensor(base: Checkpoint, experts: Sequence[Source], *, rank: int = 2, seed: int = 0) -> ParetoTensor:
    """Random factors that change every matrix by about as much as its noise; every fifth matrix has none."""
    numbers = torch.Generator().manual_seed(seed)
    terms = {}
    for place, (name, (rows, columns)) in enumerate(matrices(base).items()):
        shapes = ((rows, rank), (rank, rank, len(experts)), (columns, rank))
        if place % 5 != 4:
            terms[name] = Term(*(torch.randn(shape, generator=numbers) * 0.4 for shape in shapes))
    return ParetoTensor(terms, base.source, tuple(experts))


def exact_tensor(base: Checkpoint, experts: Sequence[Checkpoint]) -> ParetoTensor:
    """A tensor that gives an expert's own matrices where it has all of the weight; its rank is as high as need be."""
    terms = {}
    for name, (_, columns) in matrices(base).items():
        differences = [expert.tensor(name).float() - base.tensor(name).float() for expert in experts]
        core = torch.stack(
            [torch.eye(len(experts))[k].repeat_interleave(columns).diag() for k in range(len(experts))], 2
        )
        terms[name] = Term(torch.cat(differences, dim=1), core, torch.eye(columns).repeat(1, len(experts)))
    return ParetoTensor(terms, base.source, tuple(expert.source for expert in experts))


def written(folder: Path, base: Checkpoint, tensor: ParetoTensor, weights: Sequence[float]) -> Checkpoint:
    """The merged model for some weights as a checkpoint of its own, in the base's types, by the paper's sum."""
    shutil.copytree(base.path, folder)
    for file in folder.glob("*.safetensors"):
        content = load_file(file)
        for name in content.keys() & tensor.terms.keys():
            term = tensor.terms[name]
            parts = (part.double().numpy() for part in (term.left, term.core, term.right))
            added = np.einsum("ca,abk,db,k->cd", *parts, np.asarray(weights, dtype=float))
            content[name] = (content[name].double() + torch.from_numpy(added)).to(content[name].dtype)
        save_file(content, file, metadata={"format": "pt"})
    return Checkpoint.open(folder.name, folder)
