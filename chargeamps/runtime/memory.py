"""Gives back what a reconnect storm leaves behind.

Thousands of TLS handshakes at once take 35 KB each for a moment. The C library keeps the holes they leave, about a
quarter of the process, unless it is told.
"""

import asyncio
import ctypes

GIVE_BACK_SECONDS = 20.0


async def give_back_for_ever() -> None:
    """Return free memory to the system every now and then, where the C library can (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:
        await asyncio.sleep(GIVE_BACK_SECONDS)
        await asyncio.to_thread(trim, 0)
