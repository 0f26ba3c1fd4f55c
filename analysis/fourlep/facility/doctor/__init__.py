"""Examines an installation or a facility from the inside; each finding says what to do."""
