"""WeCom's side of the callback envelope, written apart from the product's: it is to judge it. Never sends."""

import base64
import hashlib
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

_block_bits = 32 * 8


@dataclass(frozen=True, slots=True)
class Seal:
    """token, encoding_aes_key: as set in the console; corp_id: the receiver named inside."""

    token: str
    encoding_aes_key: str
    corp_id: str

    def sign(self, timestamp: str, nonce: str, text: str) -> str:
        parts = [self.token, timestamp, nonce, text]
        parts.sort()
        return hashlib.new("sha1", "".join(parts).encode("ascii"), usedforsecurity=False).hexdigest()

    def close(self, message: bytes) -> str:
        inner = b"".join(
            (secrets.token_bytes(16), len(message).to_bytes(4, "big"), message, self.corp_id.encode("ascii"))
        )
        padder = PKCS7(_block_bits).padder()
        filled = padder.update(inner) + padder.finalize()
        worker = self._cipher().encryptor()
        return base64.b64encode(worker.update(filled) + worker.finalize()).decode("ascii")

    def open(self, text: str) -> bytes:
        worker = self._cipher().decryptor()
        filled = worker.update(base64.b64decode(text)) + worker.finalize()
        unpadder = PKCS7(_block_bits).unpadder()
        inner = unpadder.update(filled) + unpadder.finalize()
        size = int.from_bytes(inner[16:20], "big")
        message, receiver = inner[20 : 20 + size], inner[20 + size :].decode("ascii")
        if receiver != self.corp_id:
            raise ValueError(f"sealed for {receiver}")
        return message

    def _cipher(self) -> Cipher[modes.CBC]:
        key = base64.b64decode(f"{self.encoding_aes_key}=")
        return Cipher(algorithms.AES256(key), modes.CBC(key[:16]))
