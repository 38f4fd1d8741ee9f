"""The folder that holds what this installation generates for itself: database file, secrets, certificates."""

import os
import secrets
from pathlib import Path


class DataFolder:
    """Files readable by this account only (folder mode 700, files mode 600)."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write_private(self, name: str, content: bytes) -> Path:
        """Write a file whole or not at all, so that a crash never leaves half a key."""
        target = self.path / name
        partial = target.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        return target

    def secret(self, name: str) -> str:
        """Return the named secret (256 random bits, URL-safe), making it on first use.

        Two processes that start at once agree: only one of them can link the name.
        """
        target = self.path / name
        if not target.exists():
            partial = self.write_private(f"{name}.{secrets.token_hex(4)}", secrets.token_urlsafe(32).encode())
            try:
                os.link(partial, target)
            except FileExistsError:
                pass
            finally:
                partial.unlink()
        return target.read_text().strip()
