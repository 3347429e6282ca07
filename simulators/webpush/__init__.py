"""A push service with its browsers, for tests and for looking: pages really decrypted, as a phone would show them."""

from simulators.webpush.browser import Browser, Shown
from simulators.webpush.emulator import PushEmulator

__all__ = ["Browser", "PushEmulator", "Shown"]
