"""One torch thread: on a machine that does anything else, several make small models many times slower."""

import torch

from tests.hub.fixtures import hub as hub

torch.set_num_threads(1)
