"""A model's folder becomes a repository of the Hub, in one commit.

Large files go first, one after another, and are kept by the Hub under their digests; then a single commit names them
all. Until then nothing is to be seen on ``main``, so nobody ever downloads half a model. Whoever is interrupted says
the same again: what has arrived is not sent again.

=============  ==============================================================
`publication`  a repository to which a model is to go: `Publication`
`published`    what is there already, and whether it may be overwritten
`target`       before the push: `planned`, and the folder that is pushed
=============  ==============================================================
"""

from hm3.publishing.publication import Publication
from hm3.publishing.target import model_target, planned

__all__ = ["Publication", "model_target", "planned"]
