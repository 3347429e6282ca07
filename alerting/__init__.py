"""Decide and tell: incidents, escalation, channels, receipts. Never parses a payload, speaks MQTT or serves HTTP."""
