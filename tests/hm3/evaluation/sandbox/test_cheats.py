"""Success is what only code behind the assertions can tell."""

import pytest

from tests.tiny_sandbox import verdict

CHEATS = {
    "leave": "import sys\nsys.exit(0)",
    "leave at once": "import os\nos._exit(0)",
    "leave later": "import atexit, os\natexit.register(os._exit, 0)",
    "raise": "raise SystemExit(0)",
    "no assertions": "import builtins\nbuiltins.exec = print\nbuiltins.compile = print",
    "other errors": "import builtins\nclass Never(Exception): pass\nbuiltins.AssertionError = Never",
    "other exits": "import os, sys\nos._exit = lambda code: None\nsys.exit = os._exit\nos.write = print",
    "main": "import __main__\n__main__._steps = list\n__main__.main = print\n__main__.__dict__.clear()",
    "words": "print('passed', 'OK', 'True', flush=True)\nimport os\nos._exit(0)",
    "frames": """
import os, sys
frame = sys._getframe()
while frame:
    for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
        if isinstance(value, (bytes, str, dict, list, tuple)):
            print(value, flush=True)
            os.write(1, value if isinstance(value, bytes) else str(value).encode())
            if isinstance(value, dict) and 'token' in value:
                os.write(1, value['token'].encode())
                os._exit(0)
    frame = frame.f_back
os._exit(0)
""",
    "stdin": "import os\nos.write(1, os.read(0, 1 << 20))\nos._exit(0)",
}


@pytest.mark.parametrize("program", CHEATS.values(), ids=CHEATS)
def test_success_cannot_be_claimed(program):
    assert verdict(program, "assert False").passed is False
