"""Every family in small: the same samples as `python -m scripts.families` proves."""

from scripts.families.samples import SAMPLES, Sample, write_source

__all__ = ["SAMPLES", "Sample", "write_source"]
