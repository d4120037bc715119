"""Running hostile Python in a forked process that can reach nothing and use little.

``run_confined`` is for a freshly forked process of a warm server; ``find_tier`` says what the
machine offers. Linux on x86_64 and aarch64; elsewhere only the tier ``"none"``.
"""

from nbjudge.sandbox.guard import run_confined
from nbjudge.sandbox.paths import readable_paths
from nbjudge.sandbox.probe import find_tier
from nbjudge.sandbox.spec import TIERS, Confinement, Finding, Limits, SandboxError, Tier

__all__ = [
    "TIERS",
    "Confinement",
    "Finding",
    "Limits",
    "SandboxError",
    "Tier",
    "find_tier",
    "readable_paths",
    "run_confined",
]
