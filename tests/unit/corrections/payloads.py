"""Small payloads with round numbers, and broken ones."""

from __future__ import annotations

import json
from typing import Any

from fourlep.corrections.payload import Payload


def correction(name: str, values: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """One correction whose value is one number, or a node, for each variation."""
    return {
        "name": name,
        "version": 1,
        "inputs": [{"name": "sys", "type": "string"}, {"name": "pt", "type": "real"}],
        "output": {"name": "value", "type": "real"},
        "data": {
            "nodetype": "category",
            "input": "sys",
            "content": [{"key": key, "value": value} for key, value in values.items()],
        },
        **changes,
    }


def content(*corrections: dict[str, Any]) -> bytes:
    return json.dumps({"schema_version": 2, "corrections": list(corrections)}).encode()


def payload(*corrections: dict[str, Any]) -> Payload:
    return Payload("hand-made", content(*corrections))


def flat_payload() -> Payload:
    """Every kind of correction, with constants."""
    return payload(
        correction("electron_scale", {"nominal": 1.01, "E__1up": 1.02, "E__1down": 1.0}),
        correction("electron_resolution", {"nominal": 0.0, "ERES__1up": 0.01}),
        correction("muon_scale", {"nominal": 1.0, "M__1up": 1.001}),
        correction("electron_identification", {"nominal": 0.9, "ID__1up": 0.95}),
        correction("muon_isolation", {"nominal": 0.8, "ISO__1up": 0.85, "ISO__1down": 0.75}),
        correction(
            "pileup",
            {"nominal": 1.1, "PRW__1up": 1.2},
            inputs=[{"name": "sys", "type": "string"}, {"name": "pileup", "type": "real"}],
        ),
    )
