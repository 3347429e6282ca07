"""Who and where: places, grids, people, duty, devices; what a message means. Never sends or reads a clock."""

from devices.decode import decode

__all__ = ["decode"]
