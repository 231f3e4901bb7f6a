"""A Hub in small: a real HTTP server on this machine that speaks the part of the Hub's API that is used here.

================  ==============================================================
`serving`         `serve`: a hub for the length of a block
`hub`             what it keeps, whom it knows, what it shall do wrong: `Hub`
`repositories`    `Repository`: commits, branches, objects that wait for a commit
`routes`          the API: which request is for what
`reading`,        the requests, one by one; `answers`: who may see or change what
`writing`
`faults`          `Fault`: an answer that goes wrong
================  ==============================================================

::

    with serve() as hub:
        hub.add("org/base", folder)
        subprocess.run([...], env={**os.environ, **hub.environment(scratch)})
"""

from tests.hub.faults import Fault
from tests.hub.hub import TOKEN, Hub
from tests.hub.serving import serve

__all__ = ["TOKEN", "Fault", "Hub", "serve"]
