"""SQL of incidents and notifications: one file per noun, one function per query. Never opens a transaction."""
