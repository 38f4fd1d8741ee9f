"""The line to ``tests/node/stranger.mjs``, a charge point made of a package nobody of this project wrote."""

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

Said = dict[str, Any]


class Stranger:
    """A strict OCPP 1.6J charge point. ``said`` keeps everything it reported, in order.

    Args:
        url: where it connects, without the identity.
        key_form: the key as bytes, as the standard wants, or as its hexadecimal text, as many chargers do.
    """

    def __init__(
        self,
        *,
        folder: Path,
        url: str,
        identity: str,
        key_hex: str,
        authority: Path,
        key_form: Literal["raw", "hex-text"] = "raw",
    ) -> None:
        self.said: list[Said] = []
        self._arriving: queue.SimpleQueue[Said | None] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            ["node", "stranger.mjs", url, identity, key_hex, key_form],
            cwd=folder,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(authority)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def wait(self, matches: Callable[[Said], bool], *, seconds: float = 30) -> Said:
        """The next report that matches; those before it are kept in ``said``."""
        end = time.monotonic() + seconds
        while True:
            try:
                report = self._arriving.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"not within {seconds:g} s; the stranger said: {self.said}") from None
            if report is None:
                raise EOFError(f"the stranger ended; it said: {self.said}")
            self.said.append(report)
            if matches(report):
                return report

    def wait_said(self, *kinds: str, seconds: float = 30) -> Said:
        return self.wait(lambda report: report["said"] in kinds, seconds=seconds)

    def wait_asked(self, action: str, *, seconds: float = 30) -> Said:
        """Wait until the server has asked for an action, unless it has already."""
        for report in self.said:
            if report["said"] == "asked" and report["action"] == action:
                return report
        return self.wait(lambda report: report["said"] == "asked" and report["action"] == action, seconds=seconds)

    def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Call the server; returns the result's payload and fails on anything else."""
        self._write({"do": "call", "action": action, "payload": payload})
        report = self.wait_said("result", "error")
        assert report["said"] == "result", report
        answer: dict[str, Any] = report["payload"]
        return answer

    def close(self) -> Said:
        """Close with a handshake."""
        self._write({"do": "close"})
        return self.wait_said("closed")

    @property
    def invalid(self) -> list[Said]:
        """Whatever broke the standard so far, either way."""
        return [report for report in self.said if report["said"] == "invalid"]

    def _write(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._arriving.put(json.loads(line))
        self._arriving.put(None)
