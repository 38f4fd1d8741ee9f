from chargeamps.usage.selectors.sessions import open_sessions

__all__ = ["open_sessions"]
