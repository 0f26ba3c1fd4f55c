"""Configuration: TOML and environment in, frozen dataclasses out."""
