"""A DingTalk organisation with one robot on a local port: tokens, cards on phones, lists of refusals, faults on demand.

It never reaches beyond the machine it runs on. Gengfu reads `GENGFU_DINGTALK__BASE_URL`.
"""

from simulators.dingtalk.emulator import DingtalkEmulator

__all__ = ["DingtalkEmulator"]
