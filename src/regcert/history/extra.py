"""The extra that this room stands on: what to install where it is missing."""

from importlib import import_module
from typing import Any

from regcert.errors import Code, Refusal


def require_library(name: str, extra: str = "history") -> Any:
    """Import a library that not every host carries.

    Args:
        name: of the module.
        extra: of the project, that brings it.

    Raises:
        Refusal: MISSING_EXTRA, with what to install.
    """
    try:
        return import_module(name)
    except ImportError as error:
        sentence = f"{name.partition('.')[0]} is not installed here; run: python -m pip install 'regcert[{extra}]'"
        raise Refusal(Code.MISSING_EXTRA, sentence) from error
