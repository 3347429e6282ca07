"""A paho client made and connected. Name lookup, TCP and TLS block: they run in a thread, never on the loop."""

import asyncio
import socket
import ssl
import threading
from contextlib import ExitStack
from typing import Any, cast

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.settings import GatewaySettings, LaneSettings


def new_client(broker: GatewaySettings, lane: LaneSettings) -> Client:
    """A client that has not connected. Acknowledgements are ours to send; so is every reconnect."""
    is_v5 = broker.protocol_version is MQTTProtocolVersion.MQTTv5
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=lane.client_id,
        clean_session=None if is_v5 else not lane.persistent,
        protocol=broker.protocol_version,
        reconnect_on_failure=False,  # else a refused 3.1.1 login makes paho reconnect, blocking, inside loop_read
        manual_ack=True,
    )
    client.connect_timeout = broker.connect_seconds_max
    client.username_pw_set(broker.username, broker.password)
    return client


class _RememberingContext:
    """A TLS context for paho, which forgets, unclosed, the socket of a handshake that failed; this one can close it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._socket: ssl.SSLSocket | None = None
        self.check_hostname = context.check_hostname

    def wrap_socket(self, sock: socket.socket, **options: Any) -> ssl.SSLSocket:
        self._socket = self._context.wrap_socket(sock, **options)
        return self._socket

    def close_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()


def _connect(client: Client, broker: GatewaySettings, lane: LaneSettings) -> None:
    """TCP, TLS, and CONNECT queued. Blocks; OSError when the broker cannot be reached."""
    with ExitStack() as undo:
        if broker.tls is not None:
            context = _RememberingContext(broker.tls)
            client.tls_set_context(cast(ssl.SSLContext, context))
            undo.callback(context.close_socket)
        if broker.protocol_version is MQTTProtocolVersion.MQTTv5:
            clean_start, properties = not lane.persistent, _connect_properties(broker, lane)
            client.connect(
                broker.host, broker.port, broker.keepalive_seconds, clean_start=clean_start, properties=properties
            )
        else:
            client.connect(broker.host, broker.port, broker.keepalive_seconds)
        undo.pop_all()


def _connect_properties(broker: GatewaySettings, lane: LaneSettings) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it untyped
    properties.SessionExpiryInterval = broker.session_expiry_seconds if lane.persistent else 0
    properties.ReceiveMaximum = lane.receive_maximum
    return properties


async def connect_in_thread(client: Client, broker: GatewaySettings, lane: LaneSettings) -> None:
    """Until this returns the thread owns `client` and nobody else touches it. OSError as from the network.

    A cancelled attempt leaves its thread to end by itself (it is a daemon: a hanging name lookup must not hold up
    the exit of the process) and whatever it still opens is closed.
    """
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[None] = loop.create_future()

    def settle(fault: Exception | None) -> None:
        if opened.done():
            discard(client)
        elif fault is not None:
            opened.set_exception(fault)
        else:
            opened.set_result(None)

    def work() -> None:
        fault: Exception | None = None
        try:
            _connect(client, broker, lane)
        except Exception as caught:  # noqa: BLE001 - carried to the loop, where it is raised
            fault = caught
        try:
            loop.call_soon_threadsafe(settle, fault)
        except RuntimeError:  # the loop has been closed meanwhile
            discard(client)

    threading.Thread(target=work, name=f"mqtt-connect-{lane.lane}", daemon=True).start()
    await opened


def discard(client: Client) -> None:
    """Close without a word: no DISCONNECT is sent, no callback runs.

    A `register_write` callback stays, one that does nothing: without any, paho would write CONNECT from a connecting
    thread that was given up, and the broker would throw out the session that has our client id by then.
    """
    client.on_connect = client.on_disconnect = client.on_message = None
    client.on_subscribe = client.on_socket_close = None
    client.on_socket_register_write = lambda _client, _data, _sock: None
    sock = client.socket()
    if sock is not None:
        sock.close()
