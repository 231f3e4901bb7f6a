"""Pages: a run, or many runs, as one HTML file each.

- `write_report`: a run as ``report.html``.
- `write_comparison`: many runs side by side; `comparison_table`: the same for the terminal.
- `page`, `Section`, `fragment`: the frame that all pages share.
"""

from hm3.pages.comparison import write_comparison
from hm3.pages.comparison_table import comparison_table
from hm3.pages.page import Section, fragment, page
from hm3.pages.run import write_report

__all__ = ["Section", "comparison_table", "fragment", "page", "write_comparison", "write_report"]
