"""``python -m fourlep`` is the ``fourlep`` command."""

from fourlep.cli import main

if __name__ == "__main__":
    main()
