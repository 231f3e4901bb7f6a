"""The parts of a card's text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from hm3.model_card.licences import Licence
from hm3.model_card.markdown import plain, table
from hm3.model_card.origins import origins
from hm3.objectives import Preference
from hm3.recipe import MergeSpec, Recipe, Source
from hm3.recipe.files import PICTURE
from hm3.runs import FrontFile, Member, versions_in_use


def found(front: FrontFile, preference: Preference | None, *, picture: bool) -> Iterator[str]:
    """How the stack was found, and where it stands among the others."""
    yield "\n## How it was found\n"
    if preference is not None and preference != front.preference:
        yield f"Chosen from the front for the preference {_weights(preference)}."
    yield f"Preference of the run: {_weights(front.preference)}."
    parameters = ", ".join(f"{name} {value:g}" for name, value in front.utility_parameters.items())
    yield f"Utility: {plain(front.utility)}{f' ({parameters})' if parameters else ''}."
    yield f"{len(front.candidates)} stacks are on the front after {front.evaluations} evaluations (seed {front.seed})."
    known = ", ".join(f"{plain(name)} {plain(version)}" for name, version in front.versions.items())
    if known:
        yield f"Searched with {known}."
    if picture:
        yield f"\n![The front of the run in pairs of objectives, and its stacks layer by layer]({PICTURE})"


def _weights(preference: Preference) -> str:
    return ", ".join(f"{plain(name)} {weight:.0%}" for name, weight in preference.as_dict().items())


def scores(front: FrontFile, member: Member) -> Iterator[str]:
    """Raw scores on both splits beside the best source's, and all other metrics."""
    yield "\n## Scores\n"
    head = ("objective", "task", "metric", "search split", "test split", "best source, test split")
    yield from table(head, _score_rows(front, member))
    if member.metrics:
        yield "\nAll metrics on the test split:\n"
        yield from (f"- {plain(metric)}: {value:.4f}" for metric, value in member.metrics.items())


def _score_rows(front: FrontFile, member: Member) -> Iterator[tuple[str, ...]]:
    for objective in front.objectives:
        name = objective.name
        best = max((_test(model.scores.test, name) for model in front.sources), default=float("nan"))
        numbers = (member.scores.search[name], _test(member.scores.test, name), best)
        yield name, objective.task or "-", objective.metric, *(f"{number:.4f}" for number in numbers)


def _test(numbers: Mapping[str, float] | None, name: str) -> float:
    return float("nan") if numbers is None else float(numbers[name])


def layers(recipe: Recipe, untied: int = 0) -> Iterator[str]:
    """The stack, layer by layer; `untied` bytes come from a seam that parts embedding and head."""
    yield "\n## Layers\n"
    yield f"Embedding and tokenizer: {plain(recipe.embedding_host)}. Final norm and head: {plain(recipe.head_host)}."
    yield f"Rule at seams: {plain(recipe.seam)}.\n"
    if untied:
        yield f"A seam turns the stream, so that embedding and head are no longer one tensor: {untied:,} bytes more.\n"
    seams = set(recipe.seams)
    rows = ((place, ref.source, ref.layer, "yes" if place in seams else "") for place, ref in enumerate(recipe.path))
    yield from table(("place", "source", "layer", "seam"), rows)


def sources(recipe: Recipe, leaves: Sequence[Source]) -> Iterator[str]:
    """What the layers are taken from, by content, and what merged sources are made of."""
    yield "\n## Sources\n"
    used = {source.digest: source for source in (*recipe.sources, *leaves)}
    for source in used.values():
        places = " on ".join(plain(origin.public) for origin in origins(source) if origin.public)
        yield f"- {plain(source.name)}: {f'{places}, ' if places else ''}content digest {source.digest[:16]}"
        if source.merge is not None:
            (_, first), *blocks = source.merge.parts
            base = f" to {plain(source.merge.base.name)}" if source.merge.base else ""
            yield f"  - merged{base}: {plain(source.merge.method)}, {_weighted(first)}"
            yield from (f"  - from layer {start} on: {_weighted(part)}" for start, part in blocks)


def _weighted(merge: MergeSpec) -> str:
    """The weights and settings of a merge without blocks."""
    weights = zip(merge.parents, merge.weights, strict=True)
    shares = ", ".join(f"{plain(parent.name)} {weight:.2f}" for parent, weight in weights)
    return f"weights {shares}, settings {plain(json.dumps(dict(merge.settings)))}"


def licences(stated: Mapping[str, Licence | None]) -> Iterator[str]:
    """Each source's licence, as its own card states it."""
    yield "\n## Licences\n"
    yield "As the sources state them:\n"
    for name, licence in stated.items():
        link = f" (<{licence.link}>)" if licence is not None and _is_address(licence.link) else ""
        yield f"- {plain(name)}: {plain(licence.shown) if licence else 'not stated'}{link}"
    if len({licence and (licence.id, licence.name) for licence in stated.values()}) > 1:
        yield "\nThey differ: what may be done with this model must satisfy every one of them."


def _is_address(link: str) -> bool:
    return bool(link) and not set(link) & set("<> \t\r\n\\") and link.isprintable()


def use(place: str, dtype: str) -> Iterator[str]:
    """How to load the model, and how to build it again."""
    yield "\n## Use\n"
    yield "```python"
    yield "from transformers import AutoModelForCausalLM, AutoTokenizer\n"
    yield f"model = AutoModelForCausalLM.from_pretrained({json.dumps(place)})"
    yield f"tokenizer = AutoTokenizer.from_pretrained({json.dumps(place)})"
    yield "```\n"
    yield "`recipe.json` has everything that is needed to build it again with HM3, from the same sources:\n"
    yield "```sh"
    yield "python -m hm3.export recipe=recipe.json out=rebuilt"
    yield "```\n"
    written = ", ".join(f"{name} {version}" for name, version in versions_in_use(("hm3", "transformers")).items())
    yield f"Written with {written}{f'; weights in {dtype}' if dtype else ''}."
