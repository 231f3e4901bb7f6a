"""Pictures and tables of a run.

- `draw_front`: the front and its stacks as a PNG.
- `closing_table`, `closing_text`: the comparison that ends a run, for terminals and for files; made of `Entry`.
- `Palette`: a colour for each source, the same wherever it is shown.
"""

from hm3.figures.front import draw_front
from hm3.figures.palette import Palette
from hm3.figures.table import COLUMNS, Entry, closing_table, closing_text

__all__ = ["COLUMNS", "Entry", "Palette", "closing_table", "closing_text", "draw_front"]
