"""Architecture spaces of which every stack has been scored: a search costs microseconds, and the truth is known.

- `table`: the scores of all stacks and of all their prefixes: `StackTable`.
- `evaluator`: judges recipes from a table: `TabulatedEvaluator`.
- `truth`: what nobody can surpass: front, hypervolume, the best stack for a preference.
- `files`: a table as a small file that knows what it was made from.
"""

from hm3.tabulated.evaluator import TabulatedEvaluator, table_space
from hm3.tabulated.files import load_table, save_table
from hm3.tabulated.table import StackTable
from hm3.tabulated.truth import Truth

__all__ = ["StackTable", "TabulatedEvaluator", "Truth", "load_table", "save_table", "table_space"]
