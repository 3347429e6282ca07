"""`python -m tests.acceptance.kill.early_puback serve`: the service made wrong on purpose, for the negative control.

It acknowledges every alarm to the broker on arrival, before the commit. Never used by anything but that test.
"""

from paho.mqtt.client import MQTTMessage

from gateway.alarm_lane import AlarmLane, acks_per_turn_max
from gengfu.cli import main

_arrived = AlarmLane.message_arrived


def _acknowledge_on_arrival(lane: AlarmLane, generation: int, message: MQTTMessage) -> None:
    _arrived(lane, generation, message)
    if message.qos:
        lane.connection.ack(generation, message.mid)


def _acknowledged_before(lane: AlarmLane) -> int:
    """Keeps the lane's books; the PUBACKs have left."""
    return len(lane._ledger.release(acks_per_turn_max))


if __name__ == "__main__":
    AlarmLane.message_arrived = _acknowledge_on_arrival  # type: ignore[method-assign]
    AlarmLane._acknowledge = _acknowledged_before  # type: ignore[method-assign]
    main()
