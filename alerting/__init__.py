"""Decide and tell: incidents, escalation, dispatch, channels, receipts. Never parses a payload, speaks MQTT or serves HTTP."""
