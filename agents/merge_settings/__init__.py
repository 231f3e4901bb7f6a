"""Who proposes merge settings: points of the unit cube, in rounds of ask and tell.

========================  ==========================================================
`proposer`                the interface: `SettingsProposer`
`mm_mo`                   MM-MO: what was `observed` is modelled (`surrogate`), promising points are found
                          (`acquisition` above a `reference`; its `cells`), crossed with the elite
                          (`weak_to_strong`) and screened (`screening`); `isolated`, `apart`
`random_settings`         random search, and how MM-MO begins
`map`                     MAP: a quadratic `quadratic` of each objective after a `design`; its front
                          (`surrogate_front`), of which those are judged that gain most (`gains`)
`nsga2`                   NSGA-II, replayed (`population`: what evolution by pymoo needs)
`linear_grid`             a lattice of weights
`fresh`, `informative`    points that are new; values that something can be learnt from
========================  ==========================================================
"""

from agents.merge_settings.linear_grid import LinearGrid
from agents.merge_settings.map import MAP
from agents.merge_settings.mm_mo import MMMO
from agents.merge_settings.nsga2 import NSGA2
from agents.merge_settings.proposer import SettingsProposer, Told
from agents.merge_settings.random_settings import RandomSettings

__all__ = ["MAP", "MMMO", "NSGA2", "LinearGrid", "RandomSettings", "SettingsProposer", "Told"]
