"""A front on the test split by stock lm-eval, on exported models: what anybody else would measure.

python -m hm3.evaluate run=outputs/2026-01-31/12-00-00
"""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf

from hm3.command import command


@command("evaluate")
def main(config: DictConfig) -> None:
    """Export, evaluate, and print what lm-eval says beside what the run reported."""
    from rich.console import Console

    from hm3.composition import machine_of, prompts_of, task_folders
    from hm3.composition.sections import section
    from hm3.errors import ConfigurationError
    from hm3.past_run import PastRun
    from hm3.stock import StockResult, comparison, evaluated

    if config.candidates not in ("chosen", "all"):
        raise ConfigurationError(f"candidates: chosen or all, got {config.candidates!r}")
    past = PastRun.open(config.run)
    front, settings = past.front, past.settings
    members = list(front.candidates) if config.candidates == "all" else [front.chosen_member]
    stated = {name: value for name, value in section(config, "evaluator").items() if value is not None}
    machine = machine_of(OmegaConf.create({**section(settings, "evaluator"), **stated}))
    results: list[StockResult] = []
    seams = past.folder.read_seams()
    console = Console(highlight=False)
    for number, member in enumerate(members, start=1):
        console.print(f"lm-eval on {member.recipe.digest[:8]}, {number}/{len(members)}")
        results.append(
            evaluated(
                member,
                front,
                past.checkpoints(member.recipe),
                include=task_folders(settings.tasks),
                prompts=prompts_of(settings.tasks),
                seams=seams,
                device=str(machine.place),
                dtype=machine.dtype,
                test_items=settings.evaluator.test_items,
                allow_code_execution=settings.evaluator.get("allow_code_execution", False),
            )
        )
    console.print(comparison(results))
    console.print(f"largest difference {max(result.difference for result in results):.2e}")


if __name__ == "__main__":
    main()
