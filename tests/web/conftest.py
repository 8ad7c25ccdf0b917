"""The standing host of the wire's tests serves here, too."""

from tests.wire.conftest import standing

__all__ = ["standing"]
