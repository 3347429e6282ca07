"""One file per noun; `api.app` includes them by name."""
