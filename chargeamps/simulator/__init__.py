"""A Charge Amps Aura in software, written from OCPP 1.6 and the field notes alone.

It shares no code with the back end, so that the two cannot share a misreading of the standard.
"""
