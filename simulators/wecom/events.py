"""What WeCom posts when a member presses a button, and how it reads the answer. Never decides who presses."""

import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from simulators.wecom.sealing import Seal


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the customer: query (encoded) and body."""

    query: str
    body: bytes


def signed(seal: Seal, message: str, timestamp: str, agent_id: int) -> Call:
    """An event, sealed and signed."""
    nonce = secrets.token_hex(5)
    text = seal.close(message.encode())
    body = (
        f"<xml><ToUserName><![CDATA[{seal.corp_id}]]></ToUserName><Encrypt><![CDATA[{text}]]></Encrypt>"
        f"<AgentID><![CDATA[{agent_id}]]></AgentID></xml>"
    )
    signature = seal.sign(timestamp, nonce, text)
    return Call(urlencode({"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}), body.encode())


def address_check(seal: Seal, word: str, timestamp: str) -> Call:
    """The GET with which WeCom checks an address; the answer must be `word`."""
    nonce, text = secrets.token_hex(5), seal.close(word.encode())
    asked = {
        "msg_signature": seal.sign(timestamp, nonce, text),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": text,
    }
    return Call(urlencode(asked), b"")


def card_event(corp_id: str, user: str, key: str, task_id: str, code: str, at: int, agent_id: int) -> str:
    """`template_card_event` in the clear."""
    return (
        f"<xml><ToUserName><![CDATA[{corp_id}]]></ToUserName><FromUserName><![CDATA[{user}]]></FromUserName>"
        f"<CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        f"<Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[{key}]]></EventKey>"
        f"<TaskId><![CDATA[{task_id}]]></TaskId><CardType><![CDATA[button_interaction]]></CardType>"
        f"<ResponseCode><![CDATA[{code}]]></ResponseCode><AgentID>{agent_id}</AgentID></xml>"
    )


def replacement(seal: Seal, body: bytes) -> str | None:
    """What the answer writes where the buttons were; None when it is no such answer. ValueError for a wrong seal."""
    outer = body.decode()
    sealed, signature = _field(outer, "Encrypt"), _field(outer, "MsgSignature")
    if not sealed:
        return None
    if signature != seal.sign(_field(outer, "TimeStamp"), _field(outer, "Nonce"), sealed):
        raise ValueError("the answer is not signed")
    inner = seal.open(sealed).decode()
    return _field(inner, "ReplaceName") if _field(inner, "MsgType") == "update_button" else None


def _field(xml: str, name: str) -> str:
    found = re.search(rf"<{name}>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))</{name}>", xml, re.DOTALL)
    return "" if found is None else found.group(1) or found.group(2) or ""
