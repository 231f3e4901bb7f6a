"""The run folder and what its ``front.json`` holds.

- `RunFolder`: where everything of a run lies; reads and writes ``front.json``.
- `FrontFile`, `Model`, `Member`: the content of ``front.json``; its JSON Schema is ``hm3/front.schema.json``.
- `front_hypervolume`, `versions_in_use`: two of its entries, computed.
"""

from hm3.runs.folder import RunFolder
from hm3.runs.front import FORMAT, FrontFile, Member, Model, SplitScores, front_hypervolume, versions_in_use
from hm3.runs.reading import front_from_json

__all__ = [
    "FORMAT",
    "FrontFile",
    "Member",
    "Model",
    "RunFolder",
    "SplitScores",
    "front_from_json",
    "front_hypervolume",
    "versions_in_use",
]
