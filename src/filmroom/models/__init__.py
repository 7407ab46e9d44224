"""The shipped networks: plain ONNX files beside their cards (`<name>.onnx`, `<name>.md`)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from filmroom.errors import InputError

if TYPE_CHECKING:
    import onnxruntime

FOLDER = Path(__file__).parent


def model_file(name: str, parts: Path | None = None) -> Path:
    """The file of a network: `parts/<name>.onnx` where a user trained one, else the shipped one."""
    if parts is not None and (parts / f"{name}.onnx").exists():
        return parts / f"{name}.onnx"
    return FOLDER / f"{name}.onnx"


def load(name: str, threads: int = 1, parts: Path | None = None) -> onnxruntime.InferenceSession:
    """A session for the network, on the CPU, with `threads` threads inside one call."""
    import onnxruntime

    path = model_file(name, parts)
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.onnx")))
        raise InputError(f"no network called {name!r}; there are: {known}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning would steal the core that the other worker needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a network that can be run here ({reason})") from error


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def card(name: str) -> dict[str, str]:
    """The `key: value` lines that head the card of a shipped network."""
    facts = {}
    lines = (FOLDER / f"{name}.md").read_text(encoding="utf-8").splitlines()
    for line in lines[1:]:
        if line.strip() == "---":
            break
        key, _, value = line.partition(":")
        facts[key.strip()] = value.strip()
    return facts


def shipped() -> list[str]:
    """Names of the shipped networks."""
    return sorted(path.stem for path in FOLDER.glob("*.onnx"))
