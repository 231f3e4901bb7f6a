"""A stack as mergekit's YAML: what mergekit replays to the same bits, or a word on why it can't.

===========  ==========================================================
`families`   the families whose stacks mergekit writes rightly, a row each: `REPLAYS`
`places`     what mergekit calls a source
`obstacles`  why it would make another model: `obstacles`
`documents`  what it is asked to do
`text`       the file: `mergekit_recipe`
===========  ==========================================================
"""

from hm3.replay.families import REPLAYS, VERSION, Replay
from hm3.replay.obstacles import obstacles
from hm3.replay.text import mergekit_recipe

__all__ = ["REPLAYS", "VERSION", "Replay", "mergekit_recipe", "obstacles"]
