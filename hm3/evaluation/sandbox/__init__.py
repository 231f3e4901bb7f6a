"""Running a program that a model wrote, against assertions, where neither can do harm.

- `limits`: what a program may use, and what comes of it
- `calls`: which system calls the kernel grants, as a filter program
- `guest`: what runs in the process of its own: takes every right away from itself, then runs the program
- `running`: starts that process, watches it, ends it, and says what came of it

It is made against accidents and plain attempts, not against somebody who looks for holes in Python or in the kernel.
Not closed: an answer may change what its own assertions call (``len = lambda x: 3``, an ``__eq__`` that is always
true); slow answers pass or fail by the machine's speed; on kernels without Landlock (before 5.13) an answer can read
files that the user can read, though it has nowhere to send them.
"""

from hm3.evaluation.sandbox.limits import Limits, Verdict
from hm3.evaluation.sandbox.running import check_sandbox, run_all, run_assertions

__all__ = ["Limits", "Verdict", "check_sandbox", "run_all", "run_assertions"]
