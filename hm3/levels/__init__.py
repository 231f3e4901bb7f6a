"""The parameter level at work: levels that search or train, and what they give to the rest of a run.

========================  ==========================================================
`stage`                   the interface: `Level`, `Given`, `Merged`
`stated`                  merges that follow from the preferences: `StatedMerges`
`merge_search`            merges that are searched for: `MergeSearch`
`pareto_merging`          one training, a merge for any preference: `ParetoMerging`
`conditioned`             the source that follows each preference
`journal`, `chosen`       what a search has heard; which merges it gives
`result`                  ``parameter.json``
`fronts`                  what the level brings to a front
========================  ==========================================================
"""

from hm3.levels.conditioned import ConditionedSource
from hm3.levels.fronts import followers, found_before, judge_others, report_front
from hm3.levels.merge_search import MergeSearch
from hm3.levels.pareto_merging import ParetoMerging
from hm3.levels.result import read_merged, write_merged
from hm3.levels.stage import STAGE, Given, Level, Merged
from hm3.levels.stated import StatedMerges

__all__ = [
    "STAGE",
    "ConditionedSource",
    "Given",
    "Level",
    "MergeSearch",
    "Merged",
    "ParetoMerging",
    "StatedMerges",
    "followers",
    "found_before",
    "judge_others",
    "read_merged",
    "report_front",
    "write_merged",
]
