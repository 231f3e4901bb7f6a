"""One stack as a plain checkpoint: a candidate of a run's front, or what a recipe describes.

python -m hm3.export run=outputs/2026-01-31/12-00-00 +preference=code_heavy out=my-model
python -m hm3.export recipe=stack.yaml out=my-model
python -m hm3.export run=outputs/2026-01-31/12-00-00 push_to_hub=org/my-model private=true
"""

from __future__ import annotations

from omegaconf import DictConfig

from hm3.command import command


@command("export")
def main(config: DictConfig) -> None:
    """Find the model, write it, and publish it if that is asked for."""
    from rich.console import Console

    from hm3.checks import flag
    from hm3.composition import stated_text
    from hm3.exportable import exportable
    from hm3.model_folder import holds, write_model
    from hm3.publishing import model_target, planned

    overwrite = flag("overwrite", config.overwrite)
    hub = planned(stated_text(config, "push_to_hub"), private=flag("private", config.private), overwrite=overwrite)
    with model_target(config.out, hub) as out:
        model = exportable(config)
        if hub is None or overwrite or not holds(out, model.recipe):
            write_model(
                out,
                model.recipe,
                model.checkpoints,
                model.card,
                seams=model.seams,
                extras=model.extras,
                untouched=model.untouched,
                shard_bytes=model.shard_bytes,
                overwrite=overwrite,
            )
        where = out if hub is None else hub.push(out, model.title)
    told = f"{model.recipe.digest[:8]}: {model.recipe.depth} layers in {where}{model.growth}"
    Console(highlight=False).print(told, soft_wrap=True)


if __name__ == "__main__":
    main()
