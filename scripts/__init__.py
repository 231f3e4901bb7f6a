"""Chores: the zoo, measurements, the main job in small. Each runs as ``python -m scripts.NAME``."""
