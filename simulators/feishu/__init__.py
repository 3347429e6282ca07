"""A Feishu organisation with one bot on a local port: tokens, cards on phones, buttons that call back, faults.

It never reaches beyond the machine it runs on, except to call the address it was given. Gengfu reads
`GENGFU_FEISHU__BASE_URL`.
"""

from simulators.feishu.emulator import FeishuEmulator

__all__ = ["FeishuEmulator"]
