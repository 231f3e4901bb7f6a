"""HM3: reinforcement learning over layer stacks, with a Pareto front of merged models as the result.

Verbs are commands (``hm3.train``, ``hm3.search``, ``hm3.evaluate``, ``hm3.export``, ``hm3.report``), nouns are
the library. This module imports nothing, so ``import hm3.recipe`` stays cheap.
"""
