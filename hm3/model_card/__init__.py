"""The model card of an exported stack: Markdown with front matter that the Hub reads.

===============  ==================================================================================
`cards`          whole cards: `model_card` of a run's candidate, `stack_card` of any recipe
`front_matter`   tags, base models, licence and results, as the Hub wants them
`licences`       what the sources' own cards say, and whether they agree
`origins`        where a recipe's sources can be found again: `folders_named`
`sections`       the parts of the text
`markdown`       names from elsewhere, made harmless
===============  ==================================================================================
"""

from hm3.model_card.cards import model_card, stack_card
from hm3.model_card.origins import folders_named

__all__ = ["folders_named", "model_card", "stack_card"]
