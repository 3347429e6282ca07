"""What can go wrong with a broker, each as one sentence for a person; it never catches anything."""


class BrokerUnavailable(RuntimeError):
    """No broker could be started or reached; the message is one sentence that says why and what helps."""


class BrokerFilesError(ValueError):
    """An account, filter or folder cannot be written into broker files; the message names it."""
