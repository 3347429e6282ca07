"""WeCom's callbacks: the address check by GET, and what people press, sealed and signed, by POST. Pure; never acts.

Source: WeCom developer centre, "接收消息与事件", "回调配置".
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from alerting.channels import buttons, flat_xml
from alerting.channels.base import CallbackRequest, Spoken, Stored
from alerting.channels.cards import words_of
from alerting.channels.providers.wecom_crypto import Envelope
from alerting.channels.providers.wecom_settings import WecomSettings

age_max_s = 3_600
"""WeCom repeats within seconds; a callback older than this, or from further ahead, was recorded and played back."""
_PLAIN = "text/plain"
_XML = "text/xml"


class WecomCallbacks:
    """Of one app; without callback secrets nothing is believed."""

    def __init__(self, settings: WecomSettings) -> None:
        self._secret = settings.encoding_aes_key
        self._envelope = (
            None
            if settings.token is None or settings.encoding_aes_key is None
            else Envelope(settings.token, settings.encoding_aes_key, settings.corp_id)
        )

    def verify(self, request: CallbackRequest, now: datetime) -> bool:
        """Signed with our token, lately, sealed with our key, for our company."""
        timestamp = request.query.get("timestamp", "")
        if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
            return False
        if abs(now.timestamp() - int(timestamp)) > age_max_s:
            return False
        try:
            self._open(request)
        except ValueError:
            return False
        return True

    def read(self, request: CallbackRequest) -> Sequence[Stored]:
        """A pressed button; [] for every other event."""
        if request.method == "GET":
            return []
        event = flat_xml.fields(self._open(request))
        carried = event.get("EventKey", "")
        said = buttons.unsealed(carried)
        if event.get("Event") != "template_card_event" or said is None:
            return []
        user, at = event.get("FromUserName", ""), event.get("CreateTime", "")
        told_once = hashlib.sha256("\0".join((user, at, carried)).encode()).hexdigest()
        form = {"user": user, "key": carried, "task": event.get("TaskId", ""), "at": at}
        return [Stored("card", said.attempt_id, told_once, form)]

    def answer(self, request: CallbackRequest) -> Spoken | None:
        """GET: the word that proves that we can read. A pressed button: that it was stored; not that anybody goes."""
        message = self._open(request)
        if request.method == "GET":
            return Spoken(_PLAIN, message.decode())
        event = flat_xml.fields(message)
        said = self._heard(event)
        return Spoken(_PLAIN, "success") if said is None else Spoken(_XML, self._reply(request, event, said))

    def _open(self, request: CallbackRequest) -> bytes:
        """ValueError for whatever did not come from WeCom."""
        if self._envelope is None:
            raise ValueError("no callback secrets are set")
        query = request.query
        sealed = query.get("echostr", "") if request.method == "GET" else _encrypted(request.body)
        signature, timestamp, nonce = (query.get(name, "") for name in ("msg_signature", "timestamp", "nonce"))
        if not sealed or not self._envelope.signed(signature, timestamp, nonce, sealed):
            raise ValueError("not signed")
        return self._envelope.opened(sealed)

    def _heard(self, event: dict[str, str]) -> str | None:
        """What the button says from now on; None for what is no press of ours."""
        if event.get("Event") != "template_card_event" or self._secret is None:
            return None
        pressed = buttons.opened(self._secret, event.get("EventKey", ""), event.get("FromUserName", ""))
        return None if pressed is None else words_of(pressed.language).heard[pressed.digit]

    def _reply(self, request: CallbackRequest, event: dict[str, str], said: str) -> str:
        """`update_button`, sealed and signed like what came; its salt follows from the request: this stays pure."""
        assert self._envelope is not None
        timestamp, nonce = request.query.get("timestamp", ""), request.query.get("nonce", "")
        inner = (
            f"<xml><ToUserName><![CDATA[{_cdata(event.get('FromUserName', ''))}]]></ToUserName>"
            f"<FromUserName><![CDATA[{_cdata(event.get('ToUserName', ''))}]]></FromUserName>"
            f"<CreateTime>{timestamp}</CreateTime><MsgType><![CDATA[update_button]]></MsgType>"
            f"<Button><ReplaceName><![CDATA[{said}]]></ReplaceName></Button></xml>"
        )
        salt = self._envelope.salt(request.query.get("msg_signature", ""))
        sealed = self._envelope.sealed(inner.encode(), salt)
        signature = self._envelope.signature(timestamp, nonce, sealed)
        return (
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{_cdata(nonce)}]]></Nonce></xml>"
        )


def _encrypted(body: bytes) -> str:
    return flat_xml.fields(body).get("Encrypt", "")


def _cdata(text: str) -> str:
    return text.replace("]]>", "")
