"""Write docs/benchmarks.md and its drawings from the result files, or see that they are what these say.

python -m scripts.page
python -m scripts.page --check
"""

from __future__ import annotations

import argparse
import sys

from scripts.page.pages import DOCS, differences, page, write


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is not what results say")
    if not parser.parse_args().check:
        write(page(), DOCS)
    elif found := differences(page(), DOCS):
        sys.exit(f"docs: what the result files say, got another {', '.join(found)}: run python -m scripts.page")


if __name__ == "__main__":
    main()
