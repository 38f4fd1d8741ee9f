"""What is known of the request being served, for log entries written far below the view."""

from contextvars import ContextVar

# Where the request came from, as ``middleware.source_address`` judged it; empty outside a request.
source_address: ContextVar[str] = ContextVar("source_address", default="")
