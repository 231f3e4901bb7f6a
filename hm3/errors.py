"""What goes wrong, by who must act. Commands print these as one line; nothing else is meant to be caught."""


class HM3Error(Exception):
    """Base of every error that HM3 raises on purpose. The message names the argument, the rule and what came."""


class ConfigurationError(HM3Error):
    """The configuration must change: an unknown name, a value out of range, a space that is empty."""


class CheckpointError(HM3Error):
    """A source checkpoint cannot be used: missing, damaged, unsafe, or of another shape than its peers."""


class TaskError(HM3Error):
    """A task cannot be scored: no such task, no documents on a split, an item without an answer."""


class OutputError(HM3Error):
    """Results cannot be written: no permission, no space, or a path that must not be touched."""
