"""What stacks that nobody has judged may be worth: Gaussian processes over stacks, and what they suggest to judge.

- `known`: all that has been judged.
- `features`: stacks as numbers.
- `kernel`, `process`: how alike stacks are, and a process for each objective.
- `belief`: the processes over what is known, fitted when they are asked.
- `neighbours`, `candidates`: stacks that are worth a thought.
- `gains`: which of them would add most to a front.
"""

from agents.surrogate.belief import Belief
from agents.surrogate.candidates import favoured, promising
from agents.surrogate.gains import most_promising
from agents.surrogate.known import KnownStacks
from agents.surrogate.neighbours import neighbours

__all__ = ["Belief", "KnownStacks", "favoured", "most_promising", "neighbours", "promising"]
