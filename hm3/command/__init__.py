"""How a command meets people.

- `command`: makes a function a Hydra command whose errors are one line.
- `preference_weights`: the preference that the command line states.
- `resolved`: a configuration as plain dicts.
- `complaint`: the line for an error.
"""

from hm3.command.complaints import complaint
from hm3.command.preference import preference_weights
from hm3.command.running import command, resolved

__all__ = ["command", "complaint", "preference_weights", "resolved"]
