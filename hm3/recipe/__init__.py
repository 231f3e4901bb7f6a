"""Recipes: everything that is needed to build a model, as values. Standard library only.

A recipe speaks of sources by *name* for people and by *digest* for identity: two recipes with the same content have
the same digest, whatever their sources are called and wherever they lie.

=============  ==========================================================
`digests`      `digest_of`, the digest of a JSON value
`merge_block`  layers that a merge treats in their own way: `MergeBlock`
`sources`      a model whose layers may be used, and how it was merged: `Source`, `MergeSpec`
`stack`        a model as a stack of layers: `Recipe`, `LayerRef`, `Content`
`junctions`    where a stack joins what was no neighbour: `Junction`, `State`
`short`        the form that people write by hand: `ShortForm`
`files`        what lies in an exported model's folder: names
=============  ==========================================================
"""

from hm3.recipe.digests import digest_of
from hm3.recipe.merge_block import MergeBlock
from hm3.recipe.short import ShortForm
from hm3.recipe.sources import MergeSpec, Source
from hm3.recipe.stack import FORMAT, Content, LayerRef, Recipe

__all__ = ["FORMAT", "Content", "LayerRef", "MergeBlock", "MergeSpec", "Recipe", "ShortForm", "Source", "digest_of"]
