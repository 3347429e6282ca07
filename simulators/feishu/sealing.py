"""Feishu's side of the callback envelope, written apart from the product's: it is to judge it. Never sends."""

import base64
import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7


def close(encrypt_key: str, document: dict[str, Any]) -> bytes:
    """`{"encrypt": ...}` as it is posted."""
    padder = PKCS7(128).padder()
    filled = padder.update(json.dumps(document).encode()) + padder.finalize()
    vector = secrets.token_bytes(16)
    worker = Cipher(algorithms.AES256(hashlib.sha256(encrypt_key.encode()).digest()), modes.CBC(vector)).encryptor()
    sealed = base64.b64encode(vector + worker.update(filled) + worker.finalize()).decode()
    return json.dumps({"encrypt": sealed}).encode()


def headers(encrypt_key: str, body: bytes, timestamp: str) -> dict[str, str]:
    """The signature and what it was made of."""
    nonce = secrets.token_hex(8)
    digest = hashlib.sha256()
    for part in (timestamp, nonce, encrypt_key):
        digest.update(part.encode())
    digest.update(body)
    return {
        "Content-Type": "application/json",
        "X-Lark-Request-Timestamp": timestamp,
        "X-Lark-Request-Nonce": nonce,
        "X-Lark-Signature": digest.hexdigest(),
    }
