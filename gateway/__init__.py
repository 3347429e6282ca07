"""MQTT transport: receive, hand over, acknowledge after the commit, publish device receipts.

Never decides anything about people.
"""

from gateway.settings import Filter, GatewaySettings, Lane
from gateway.subscriber import Subscriber
from gateway.telling import GatewayMetrics

__all__ = ["Filter", "GatewayMetrics", "GatewaySettings", "Lane", "Subscriber"]
