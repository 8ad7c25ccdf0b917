"""`regcert`, and `python -m regcert`."""

from regcert.cli.app import run


def main() -> None:
    """Run the command that was typed."""
    run()


if __name__ == "__main__":
    main()
