"""What certificates are issued with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbcertify.issuer import Issuer
from nbcertify.places import Places
from nbcertify.policy import Policy
from nbcertify.texts import Texts, shipped


@dataclass(frozen=True)
class Office:
    """All that certificates are issued with: files, policy, issuer, the folder of keys, texts."""

    places: Places
    policy: Policy
    issuer: Issuer
    keys: Path
    texts: Mapping[str, Texts] = field(default_factory=shipped)
