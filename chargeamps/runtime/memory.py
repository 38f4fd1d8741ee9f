"""Gives back what a reconnect storm leaves behind.

Thousands of TLS handshakes at once take 35 KB each for a moment. The C library keeps the holes they leave, about a
quarter of the process, unless it is told.
"""

import asyncio
import ctypes

GIVE_BACK_SECONDS = 20.0


# Only glibc can, and only glibc needs to.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Return free memory to the system."""
    if _trim is not None:
        _trim(0)


async def give_back_for_ever() -> None:
    """Return free memory to the system every now and then."""
    while True:
        await asyncio.sleep(GIVE_BACK_SECONDS)
        await asyncio.to_thread(give_back)
