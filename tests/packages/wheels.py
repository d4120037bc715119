"""The three wheels, built, and installed alone into environments of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# As in tools/bootstrap: the one on PATH, or the one that was fetched.
_UV = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class Environment:
    """A virtual environment; `bin` holds its programs."""

    bin: Path

    @property
    def python(self) -> Path:
        return self.bin / "python"

    def packages(self) -> set[str]:
        """The names of all that is installed here."""
        listed = uv("pip", "list", "--format", "json", "--python", str(self.python))
        return {package["name"] for package in json.loads(listed)}


def uv(*arguments: str) -> str:
    """Run uv, with the certificates that this machine believes; what it prints."""
    environment = os.environ | {"NO_COLOR": "1"}
    environment.pop("VIRTUAL_ENV", None)
    if _CERTIFICATES.exists():
        environment.setdefault("UV_SYSTEM_CERTS", "true")
    done = subprocess.run(
        [_UV, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"uv {' '.join(arguments)}:\n{done.stderr}"
    return done.stdout


def build_wheels(folder: Path) -> Path:
    """Build all three into `folder`, from what is in git and what is new."""
    uv("build", "--quiet", "--wheel", "--all-packages", "--out-dir", str(folder))
    return folder


def install(wheels: Path, package: str, into: Path) -> Environment:
    """Install the wheel of `package` alone, in the lock file's versions of all that it needs."""
    versions = into.with_suffix(".txt")
    versions.write_text(
        uv("export", "--quiet", "--frozen", "--no-hashes", "--package", package)
        .replace("-e .", "# ")
        .replace("./packages", "# ")
    )
    uv("venv", "--quiet", "--python", sys.executable, str(into))
    made = Environment(into / "bin")
    (wheel,) = wheels.glob(f"{package}-*.whl")
    uv(
        *("pip", "install", "--quiet", "--python", str(made.python)),
        *("--find-links", str(wheels), "--constraint", str(versions), str(wheel)),
    )
    return made
