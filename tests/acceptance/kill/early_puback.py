"""`python -m tests.acceptance.kill.early_puback serve`: the service made wrong on purpose, for the negative control.

It acknowledges every alarm to the broker on arrival, before the commit. Never used by anything but that test.
"""

from paho.mqtt.client import MQTTMessage

from gateway import subscriber
from gateway.alarm_lane import AlarmLane, acks_per_turn_max
from gengfu.cli import main


class HastyLane(AlarmLane):
    """PUBACK on arrival; what `work` does afterwards is the right lane's."""

    def message_arrived(self, generation: int, message: MQTTMessage) -> None:
        super().message_arrived(generation, message)
        if message.qos:
            self.connection.ack(generation, message.mid)

    def _acknowledge(self) -> int:
        """Keeps the books only: the PUBACKs have left."""
        return len(self._ledger.release(acks_per_turn_max))


if __name__ == "__main__":
    vars(subscriber)["AlarmLane"] = HastyLane
    main()
