"""SQL of the HTTP edge: one file per noun, one named function per query. Never decides, never opens a transaction."""
