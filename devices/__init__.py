"""Who and where: places, grids, people, duty, devices, and what a message means. Never sends, escalates or reads a clock."""

from devices.decode import decode

__all__ = ["decode"]
