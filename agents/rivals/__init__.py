"""Searchers that others would take instead, on the same space, from the same start. Each asks and is told as all do.

- `regularised_evolution`: ageing evolution (Real et al., 2019).
- `nsga2`, `nsga3`, `moead`: pymoo's algorithms over genomes; what they share is in `evolution`, `variation`.
- `cmaes`: CMA-ES over Sakana's `data_flow` genotype; `cma_run` is one of its runs.
- `categorical_bo`: Bayesian optimisation with a Hamming kernel (`hamming`), its acquisition searched by `local_gain`.
- `rival`: what all have in common; `genomes`: stacks as rows of integers; `start`: what everyone asks
  first; `fresh`: nothing is asked twice; `journal`: how they come back.
"""

from agents.rivals.categorical_bo import CategoricalBO
from agents.rivals.cmaes import CMAES
from agents.rivals.moead import MOEAD
from agents.rivals.nsga2 import NSGA2
from agents.rivals.nsga3 import NSGA3
from agents.rivals.regularised_evolution import RegularisedEvolution

__all__ = ["CMAES", "MOEAD", "NSGA2", "NSGA3", "CategoricalBO", "RegularisedEvolution"]
