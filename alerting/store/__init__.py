"""SQL of incidents and notifications: one file per noun, one named function per query. Never decides, never opens a transaction."""
