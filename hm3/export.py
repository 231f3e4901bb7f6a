"""One stack of a front as a plain checkpoint.

python -m hm3.export run=outputs/2026-01-31/12-00-00 +preference=code_heavy out=my-model
"""

from __future__ import annotations

from omegaconf import DictConfig

from hm3.command import command


@command("export")
def main(config: DictConfig) -> None:
    """Choose a candidate and write it."""
    from rich.console import Console

    from hm3.checks import flag, number, path
    from hm3.closing import choose
    from hm3.composition import stated_text, stated_weights
    from hm3.composition.instances import instance
    from hm3.composition.sections import section
    from hm3.model_card import model_card
    from hm3.model_folder import write_model
    from hm3.objectives import Preference
    from hm3.past_run import PastRun

    overwrite = flag("overwrite", config.overwrite)
    shard_bytes = int(number("shard_mb", config.shard_mb, 0, above=True) * 1_000_000)
    past = PastRun.open(config.run)
    front, candidate = past.front, stated_text(config, "candidate")
    if candidate is not None:
        member = past.member(candidate)
    else:
        preference = Preference.of(stated_weights(config) or past.weights, front.names)
        member = choose(front, preference, instance(section(past.settings, "utility"), "utility"))
    out = path("out", config.out)
    write_model(
        out,
        member.recipe,
        past.checkpoints(member.recipe),
        model_card(front, member),
        untouched=[checkpoint.path for checkpoint in past.given.values()],
        shard_bytes=shard_bytes,
        overwrite=overwrite,
    )
    Console(highlight=False).print(f"{member.recipe.digest[:8]}: {member.recipe.depth} layers in {out}", soft_wrap=True)


if __name__ == "__main__":
    main()
