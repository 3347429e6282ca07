"""Feishu's envelope: SHA-256 over time, nonce, key and body; AES-256-CBC under the key's hash, behind its first block.

Pure. Source: Feishu open platform, "Encrypt Key 加密策略", "签名校验".
"""

import base64
import hashlib
import hmac
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_block = 16


def signature(encrypt_key: str, timestamp: str, nonce: str, body: bytes) -> str:
    """Hexadecimal SHA-256, as in `X-Lark-Signature`."""
    return hashlib.sha256(f"{timestamp}{nonce}{encrypt_key}".encode() + body).hexdigest()


def signed(encrypt_key: str, given: str, timestamp: str, nonce: str, body: bytes) -> bool:
    return hmac.compare_digest(signature(encrypt_key, timestamp, nonce, body).encode(), given.encode())


def opened(encrypt_key: str, body: bytes) -> dict[str, Any]:
    """The document in `{"encrypt": ...}`. ValueError for whatever was not sealed with this key."""
    try:
        sealed = msgspec.json.decode(body, type=dict[str, str])["encrypt"]
        return msgspec.json.decode(unsealed(encrypt_key, sealed), type=dict[str, Any])
    except (msgspec.MsgspecError, KeyError, RecursionError):
        raise ValueError("no document") from None


def unsealed(encrypt_key: str, sealed: str) -> bytes:
    """What is in it. ValueError for what is damaged."""
    cipher = base64.b64decode(sealed.encode("ascii"), validate=True)
    if len(cipher) < 2 * _block or len(cipher) % _block:
        raise ValueError("no whole blocks")
    key = hashlib.sha256(encrypt_key.encode()).digest()
    decryptor = Cipher(algorithms.AES(key), modes.CBC(cipher[:_block])).decryptor()
    padded = decryptor.update(cipher[_block:]) + decryptor.finalize()
    padding = padded[-1]
    if not 1 <= padding <= _block or padded[-padding:] != bytes((padding,)) * padding:
        raise ValueError("wrong padding")
    return padded[:-padding]
