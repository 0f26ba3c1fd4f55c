"""Measurements of the readers on this machine: what ``fourlep bench`` runs."""
