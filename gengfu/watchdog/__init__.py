"""Who watches the watcher: a process of its own that shares neither database nor event loop with the service."""
