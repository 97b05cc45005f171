"""How to reach Kafka: the values every client of it is made with.

Must not know what the clients are for.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Where the brokers are and how to speak to them."""

    bootstrap_servers: str
    client_id: str = "cien-connector"
    security_protocol: str = "PLAINTEXT"
    ca_file: Path | None = None
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = None
    check_crcs: bool = True
    """False only for the embedded broker, whose batches carry wrong checksums when read back."""

    def client_options(self) -> dict[str, Any]:
        """The arguments that producers, consumers and admin clients of aiokafka share."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": self.client_id,
            "request_timeout_ms": 30_000,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.endswith("SSL"):
            options["ssl_context"] = ssl.create_default_context(cafile=self.ca_file)
        if self.sasl_mechanism is not None:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password
        return options
