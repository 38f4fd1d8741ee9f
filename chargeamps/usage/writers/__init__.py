"""Files of sessions, written row by row in flat memory: CSV, JSON, XLSX and PDF."""
