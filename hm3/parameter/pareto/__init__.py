"""Pareto Merging: one training gives a merged model for every preference (Chen and Kwok, ICML 2025).

========================  ==========================================================
`tensor`                  what is trained: `ParetoTensor`, a `Term` for each matrix
`files`, `kept`           in a file; in a folder of them, by digest
`merging`                 a plain checkpoint at some weights
`tuned`, `matching`       added to a base, at some weights: `TunedCheckpoint`
`matrices`                the experts' differences from the base: `Differences`
`factors`, `initial`      what gradients change; where they start
`objective`               the interface of what is trained for
`data_free`               distances to the experts
`data_based`              losses on texts; `texts`, `groups`, `criteria`, `conditioned_model`
`scalarisation`           K losses and a preference become one number
`training`                the loop; `preferences`, `descent`, `record`, `resume`
========================  ==========================================================
"""

from hm3.parameter.pareto.conditioned_model import ConditionedModel, check_trainable
from hm3.parameter.pareto.criteria import CRITERIA
from hm3.parameter.pareto.data_based import DataBased
from hm3.parameter.pareto.data_free import DataFree
from hm3.parameter.pareto.files import load_tensor, packed_tensor, save_tensor
from hm3.parameter.pareto.initial import initial_terms
from hm3.parameter.pareto.matching import check_fits
from hm3.parameter.pareto.matrices import Differences
from hm3.parameter.pareto.objective import PreferenceLosses
from hm3.parameter.pareto.preferences import Preferences
from hm3.parameter.pareto.record import NOT_FINITE, TrainingRecord
from hm3.parameter.pareto.scalarisation import Linear, Scalarisation, SmoothTchebycheff
from hm3.parameter.pareto.tensor import METHOD, ParetoTensor, Term
from hm3.parameter.pareto.texts import Text
from hm3.parameter.pareto.training import Training
from hm3.parameter.pareto.tuned import TunedCheckpoint, is_conditioned, tensor_digest, tuned

__all__ = [
    "CRITERIA",
    "METHOD",
    "NOT_FINITE",
    "ConditionedModel",
    "DataBased",
    "DataFree",
    "Differences",
    "Linear",
    "ParetoTensor",
    "PreferenceLosses",
    "Preferences",
    "Scalarisation",
    "SmoothTchebycheff",
    "Term",
    "Text",
    "Training",
    "TrainingRecord",
    "TunedCheckpoint",
    "check_fits",
    "check_trainable",
    "initial_terms",
    "is_conditioned",
    "load_tensor",
    "packed_tensor",
    "save_tensor",
    "tensor_digest",
    "tuned",
]
