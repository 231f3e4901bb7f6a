"""The model card of an exported stack."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hm3.recipe import Recipe
from hm3.runs import FrontFile, Member


def model_card(front: FrontFile, member: Member) -> str:
    """Markdown with front matter: what the model is made of, what it scores, and how it was chosen."""
    return "\n".join([*_front_matter(), *_body(front, member)]) + "\n"


def _front_matter() -> Iterator[str]:
    yield from (
        "---",
        "library_name: transformers",
        "pipeline_tag: text-generation",
        "tags:",
        "- merge",
        "- hm3",
        "---",
    )


def _body(front: FrontFile, member: Member) -> Iterator[str]:
    recipe = member.recipe
    yield f"# A stack of {recipe.depth} layers, {recipe.digest[:8]}\n"
    yield "Layers of several models in a new order, found by HM3. Stock transformers loads it; nothing was trained.\n"
    yield f"Preference: {_weights(front)}. {len(front.candidates)} stacks are on the front"
    yield f"after {front.evaluations} evaluations (seed {front.seed}).\n"
    yield from _scores(front, member)
    yield "\n## Layers\n"
    yield from _layers(recipe)
    yield "\n## Sources\n"
    yield from _sources(recipe)


def _weights(front: FrontFile) -> str:
    return ", ".join(f"{name} {weight:.0%}" for name, weight in front.preference.as_dict().items())


def _scores(front: FrontFile, member: Member) -> Iterator[str]:
    yield "## Scores\n"
    yield "| objective | task | metric | search split | test split | best source, test split |"
    yield "|---|---|---|---|---|---|"
    for objective in front.objectives:
        name = objective.name
        best = max(_test(model.scores.test, name) for model in front.sources)
        test = _test(member.scores.test, name)
        yield (
            f"| {name} | {objective.task or '-'} | {objective.metric} | {member.scores.search[name]:.4f}"
            f" | {test:.4f} | {best:.4f} |"
        )
    if member.metrics:
        yield "\nAll metrics on the test split:\n"
        yield from (f"- {metric}: {value:.4f}" for metric, value in member.metrics.items())


def _test(scores: object, name: str) -> float:
    return float(scores[name]) if isinstance(scores, dict) else float("nan")


def _layers(recipe: Recipe) -> Iterator[str]:
    yield f"Embedding and tokenizer: {recipe.embedding_host}. Final norm and head: {recipe.head_host}.\n"
    yield "| place | source | layer | seam |"
    yield "|---|---|---|---|"
    seams = set(recipe.seams)
    for place, ref in enumerate(recipe.path):
        yield f"| {place} | {ref.source} | {ref.layer} | {'yes' if place in seams else ''} |"


def _sources(recipe: Recipe) -> Iterator[str]:
    for source in recipe.sources:
        yield f"- `{source.name}`: content digest {source.digest[:16]}"
        if source.merge is not None:
            yield f"  - merged: `{json.dumps(source.merge.to_json()['settings'])}`, method {source.merge.method},"
            weights = ", ".join(
                f"{parent.name} {weight:.2f}"
                for parent, weight in zip(source.merge.parents, source.merge.weights, strict=True)
            )
            yield f"    weights {weights}"
