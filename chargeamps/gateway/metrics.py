"""Counters and gauges of the gateway, for /metrics."""

from prometheus_client import Counter, Gauge

connected = Gauge("chargeamps_connected_charge_points", "Charge points whose newest socket this process holds")
calls_received = Counter("chargeamps_calls_received_total", "Requests from chargers", ["action"])
calls_sent = Counter("chargeamps_calls_sent_total", "Requests to chargers", ["action"])
calls_unanswered = Counter("chargeamps_calls_unanswered_total", "Requests to chargers without an answer", ["action"])
malformed_frames = Counter("chargeamps_malformed_frames_total", "Frames that asked for nothing we can do", ["flag"])
refused_connections = Counter("chargeamps_refused_connections_total", "Sockets refused before the upgrade", ["reason"])
takeovers = Counter("chargeamps_takeovers_total", "Sockets closed because a newer one came")
flood_pauses = Counter("chargeamps_flood_pauses_total", "Times a flooding charger was made to wait")
