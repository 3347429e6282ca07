"""WeCom's envelope: a SHA-1 signature over the sorted parts, AES-256-CBC with padding to 32 bytes, the receiver inside.

Pure: the random bytes of what we seal come from outside. Source: WeCom developer centre, "加解密方案说明".
"""

import base64
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

random_bytes = 16
_pad_block = 32
_head = random_bytes + 4


class Envelope:
    """One app's callback secrets."""

    def __init__(self, token: str, encoding_aes_key: str, receiver: str) -> None:
        self._token = token
        self._key = base64.b64decode(encoding_aes_key + "=", validate=True)
        self._receiver = receiver.encode()
        if len(self._key) != 32:
            raise ValueError("encoding_aes_key does not hold 32 bytes")

    def signature(self, timestamp: str, nonce: str, sealed: str) -> str:
        """Hexadecimal SHA-1 of token, time, nonce and ciphertext in alphabetical order."""
        joined = "".join(sorted((self._token, timestamp, nonce, sealed)))
        return hashlib.sha1(joined.encode()).hexdigest()  # noqa: S324 - the vendor's own algorithm

    def signed(self, signature: str, timestamp: str, nonce: str, sealed: str) -> bool:
        """Did somebody sign it who knows our token?"""
        return hmac.compare_digest(self.signature(timestamp, nonce, sealed).encode(), signature.encode())

    def opened(self, sealed: str) -> bytes:
        """The message. ValueError when it was not sealed with our key, is damaged, or is for another company."""
        cipher = base64.b64decode(sealed.encode("ascii"), validate=True)
        if not cipher or len(cipher) % 16:
            raise ValueError("no whole blocks")
        decryptor = self._cipher().decryptor()
        padded = decryptor.update(cipher) + decryptor.finalize()
        padding = padded[-1]
        if not 1 <= padding <= _pad_block or padded[-padding:] != bytes((padding,)) * padding:
            raise ValueError("wrong padding")
        plain = padded[:-padding]
        if len(plain) < _head:
            raise ValueError("too short")
        (length,) = struct.unpack(">I", plain[random_bytes:_head])
        message, receiver = plain[_head : _head + length], plain[_head + length :]
        if len(message) != length or not hmac.compare_digest(receiver, self._receiver):
            raise ValueError("not for us")
        return message

    def sealed(self, message: bytes, salt: bytes) -> str:
        """Base64 of the sealed message; `salt`: 16 bytes that nobody can guess."""
        if len(salt) != random_bytes:
            raise ValueError("the salt has 16 bytes")
        plain = salt + struct.pack(">I", len(message)) + message + self._receiver
        padding = _pad_block - len(plain) % _pad_block
        encryptor = self._cipher().encryptor()
        cipher = encryptor.update(plain + bytes((padding,)) * padding) + encryptor.finalize()
        return base64.b64encode(cipher).decode()

    def salt(self, of: str) -> bytes:
        """Bytes for `sealed` that follow from `of` and cannot be guessed without the key."""
        return hmac.new(self._key, of.encode(), hashlib.sha256).digest()[:random_bytes]

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))
