"""What lies in an exported model's folder beside what every checkpoint has: names of files."""

RECIPE = "recipe.json"
MERGEKIT = "mergekit.yaml"
CARD = "README.md"
PICTURE = "front.png"  # of the run, which the card shows
SEAMS = "seams.tensors"  # rotations that the recipe refers to
PARETO = "pareto_merging.tensors"  # the tensor of a merged source that the recipe refers to

BESIDE = (RECIPE, MERGEKIT, CARD, PICTURE, SEAMS, PARETO)
