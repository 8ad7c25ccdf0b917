"""Host names as the DNS sees them: lower-case ASCII, international labels in their `xn--` form."""

import re

import idna

from regcert.errors import Code, Refusal

MAX_NAME_CHARACTERS = 253
MAX_INPUT_CHARACTERS = 1024  # bounds the mapping below; the DNS bound is applied to its result

_ASCII_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
_WIDE_LABEL = re.compile(r"(?:[a-z0-9_-]|[^\x00-\x7f])+")


def read_host_name(text: str) -> str:
    """Read a host name into the form in which it is looked up.

    Names are mapped as browsers map them (UTS 46, non-transitional): case, full-width forms and the other three full stops
    become one spelling. Underscores and outer hyphens pass, because the DNS holds such names. An `xn--` label is kept as it
    is, also where it decodes to nothing sensible: it is what was looked up. Look-alikes of other scripts stay different.

    Args:
        text: at most 1024 characters; a trailing dot is dropped.

    Returns:
        Lower-case ASCII, labels of 1 to 63 characters, at most 253 in all; it may be an address in disguise.

    Raises:
        Refusal: INVALID_OBSERVABLE, also for characters one cannot see (zero-width, direction-changing).

    Spec: RFC 1035 §2.3.4, RFC 5891, UTS 46 §4
    """
    if len(text) > MAX_INPUT_CHARACTERS:
        raise Refusal(Code.INVALID_OBSERVABLE, "the host name is too long: the DNS allows 253 characters")
    if not text.isprintable():
        raise Refusal(
            Code.INVALID_OBSERVABLE, "the host name holds a character that cannot be seen: type it anew instead of pasting"
        )
    name = (text.lower() if text.isascii() else _to_ascii(text)).removesuffix(".")
    if len(name) > MAX_NAME_CHARACTERS or _ASCII_NAME.fullmatch(name) is None:
        raise Refusal(
            Code.INVALID_OBSERVABLE,
            "not a host name: labels of 1 to 63 letters, digits, hyphens or underscores with dots between them",
        )
    return name


def _to_ascii(text: str) -> str:
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
    except idna.IDNAError as error:
        raise Refusal(Code.INVALID_OBSERVABLE, "the host name holds a character that names cannot hold") from error
    return ".".join(label if label.isascii() else _a_label(label) for label in mapped.split("."))


def _a_label(label: str) -> str:
    # Not idna.alabel: it refuses what registries of today sell and browsers open (emoji, for one).
    if _WIDE_LABEL.fullmatch(label) is None:
        raise Refusal(Code.INVALID_OBSERVABLE, "the host name holds a character that names cannot hold")
    return "xn--" + label.encode("punycode").decode("ascii")
