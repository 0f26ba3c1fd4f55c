"""fourlep: H -> ZZ* -> 4l over the whole 2024 ATLAS open-data release.

The package turns ATLAS open data into a measurement. Imports point one way::

    cli -> facility -> pipeline -> {execution, stats, plots, report, synth, processor}
        -> chunk -> {io, physics, corrections} -> events -> datasets -> config
        -> {units, errors, exact}

``docs/explanation/architecture.md`` says what each layer is for.
"""

__version__ = "0.1.0"
