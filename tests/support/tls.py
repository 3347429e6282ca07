"""A mosquitto with its TLS listener open, as the template's comments tell an operator to; on loopback only."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

from gengfu.broker.child import HOST, free_port
from gengfu.broker.files import shipped_template


@dataclass(frozen=True, slots=True)
class TlsListener:
    """`template`: the shipped configuration with these lines taken in. `authority`: who signed the certificate."""

    port: int
    template: str
    authority: trustme.CA

    @classmethod
    def prepare(cls, broker_folder: Path) -> "TlsListener":
        """Put a certificate where the template looks for it."""
        authority, port = trustme.CA(), free_port()
        certificate = authority.issue_cert("localhost", HOST)
        folder = broker_folder / "tls"
        folder.mkdir(parents=True)
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        certificate.private_key_pem.write_to_path(folder / "server.key")
        return cls(port, _with_tls(shipped_template(), port), authority)

    def trust(self) -> ssl.SSLContext:
        """A client's context that takes this broker's certificate and no other."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


def _with_tls(template: str, port: int) -> str:
    head, tail = template.split("#listener 8883")
    body = tail.split("# Only if devices carry certificates")[0]
    lines = [line[1:] if line[:1] == "#" and line[1:2] != " " else line for line in body.splitlines()]
    return f"{head}listener {port} {HOST}\n" + "\n".join(lines)
