"""What stacks that nobody has judged may be worth: Gaussian processes over stacks, and what they suggest to judge.

- `known`: all that has been judged.
- `features`: stacks as sets of layers and of neighbours; what two stacks share is a dot product.
- `kernel`, `process`: how alike stacks are, and a process for each objective.
- `belief`: the processes over what is known, fitted when they are asked.
- `gains`: which stacks would add most to a front.
- `neighbours`: stacks near those that are known.
"""

from agents.surrogate.belief import Belief
from agents.surrogate.gains import favourites, thompson
from agents.surrogate.known import KnownStacks
from agents.surrogate.neighbours import neighbours

__all__ = ["Belief", "KnownStacks", "favourites", "neighbours", "thompson"]
