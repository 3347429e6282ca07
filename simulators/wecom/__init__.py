"""A WeCom company with one app on a local port: tokens, cards on phones, buttons that call back, faults on demand.

It never reaches beyond the machine it runs on, except to call the address it was given. Gengfu reads
`GENGFU_WECOM__BASE_URL`.
"""

from simulators.wecom.emulator import WecomEmulator

__all__ = ["WecomEmulator"]
