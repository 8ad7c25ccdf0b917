"""The peer's own environment: made once, kept in the user's cache folder, named after what is in it."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

VERSIONS = ("0.10.0b1", "0.9.3")
FOLDER = Path(__file__).parent
_READY = "ready"


class PeerMissingError(Exception):
    """The peer could not be installed here."""


def prepare_environment(version: str) -> Path:
    """Return the folder of programs of an environment that holds one version of the peer.

    Args:
        version: one of VERSIONS.

    Raises:
        PeerMissingError: it is not there and cannot be installed, most often because there is no network.
    """
    wanted = FOLDER / f"opentaxii-{version}.txt"
    state = hashlib.sha256(wanted.read_bytes() + (FOLDER / "shared.txt").read_bytes() + sys.version.encode()).hexdigest()
    folder = _cache() / f"opentaxii-{version}-{state[:12]}"
    if not (folder / _READY).exists():
        try:
            _install(folder, wanted)
        except (OSError, subprocess.CalledProcessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise PeerMissingError(_last_line(error)) from error
        (folder / _READY).touch()
    return folder / "bin"


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "regcert-benchmarks"


def _install(folder: Path, wanted: Path) -> None:
    """Make a virtual environment and fill it; where Python has no ensurepip, the outer pip fills it from outside."""
    outer = getattr(sys, "_base_executable", sys.executable)
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip"]
    try:
        _run([outer, "-m", "venv", "--clear", str(folder)])
    except subprocess.CalledProcessError:
        _run([outer, "-m", "venv", "--clear", "--without-pip", str(folder)])
        pip = [outer, "-m", "pip", "--python", python]
    _run([*pip, "install", "-q", "--disable-pip-version-check", "--no-input", "-r", str(wanted)])


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, cwd=FOLDER)


def _last_line(error: Exception) -> str:
    said = str(getattr(error, "stderr", "") or error).strip().splitlines()
    return said[-1] if said else repr(error)
