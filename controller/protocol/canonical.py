"""A protocol's one spelling, its hash, and the schema that editors check files by."""

import hashlib
import json
from typing import Any

from controller.protocol.form import Protocol

FORMAT = "phasegate-protocol-1"
"""Rises when the same spelling would mean something else."""


def canonical_text(protocol: Protocol) -> str:
    """Return the same text for files that mean the same.

    Comments, order of keys, spelling of numbers and defaults written out make no
    difference; the order of lists does.
    """
    tables = protocol.model_dump(mode="json", exclude_none=True)
    return json.dumps(
        {"format": FORMAT, "protocol": tables},
        sort_keys=True,
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )


def protocol_hash(protocol: Protocol) -> str:
    """Return the SHA-256 of the canonical text, as hexadecimal digits."""
    return hashlib.sha256(canonical_text(protocol).encode("utf-8")).hexdigest()


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of protocol files."""
    schema = Protocol.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "phasegate protocol",
    } | {key: value for key, value in schema.items() if key != "title"}
