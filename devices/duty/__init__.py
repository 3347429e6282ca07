"""Who is on duty: patterns, standing duty, overrides, leave, gaps. Pure: never loads, never reads a clock."""
