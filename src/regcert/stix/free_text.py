"""Values that are text chosen by whoever wrote the malware: names, user agents, mail addresses."""

import re
import unicodedata

from regcert.errors import Code, Refusal
from regcert.stix.address import ends_in_number
from regcert.stix.host_name import read_host_name

MAX_TEXT_CHARACTERS = 1024
MAX_LOCAL_PART_CHARACTERS = 64

# Direction-changing characters pass: `invoice<RLO>fdp.exe` is the evidence. Whoever shows it escapes it.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_LOCAL_PART = re.compile(r"(?:[a-z0-9.!#$%&'*+/=?^_`{|}~-]|[^\x00-\x7f])+")


def read_free_text(text: str) -> str:
    """Read text into NFC without outer blanks.

    Args:
        text: 1 to 1024 characters, none of them a control character.

    Raises:
        Refusal: INVALID_OBSERVABLE.
    """
    if len(text) > MAX_TEXT_CHARACTERS or _CONTROL.search(text):
        raise Refusal(Code.INVALID_OBSERVABLE, "the value must be text of at most 1024 characters without control characters")
    value = (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()
    if not 0 < len(value) <= MAX_TEXT_CHARACTERS:
        raise Refusal(Code.INVALID_OBSERVABLE, "the value must be text of 1 to 1024 characters")
    return value


def read_file_name(text: str) -> str:
    """Read a file's name: the last component where a path was given, its case kept.

    Raises:
        Refusal: INVALID_OBSERVABLE.
    """
    name = read_free_text(text).replace("\\", "/").rpartition("/")[2].strip()
    if name in ("", ".", ".."):
        raise Refusal(Code.INVALID_OBSERVABLE, "the value names a folder, not a file")
    return name


def read_email(text: str) -> str:
    """Read a mail address, all of it into lower case: no large mail host tells letters apart by case.

    Tags after a plus sign are kept; a display name, quotes and an address in place of the domain are refused.

    Raises:
        Refusal: INVALID_OBSERVABLE.

    Spec: RFC 5321 §4.5.3.1, RFC 6531
    """
    local, at, domain = text.strip(" ").rpartition("@")
    if not at or len(local) > MAX_LOCAL_PART_CHARACTERS or not local.isprintable():
        raise Refusal(Code.INVALID_OBSERVABLE, "not a mail address: write it as name@example.org")
    local = unicodedata.normalize("NFC", local.lower())
    name = read_host_name(domain)
    if len(local) > MAX_LOCAL_PART_CHARACTERS or _LOCAL_PART.fullmatch(local) is None:
        raise Refusal(Code.INVALID_OBSERVABLE, "not a mail address: leave quotes, blanks and the display name away")
    if "." not in name or ends_in_number(name):
        raise Refusal(Code.INVALID_OBSERVABLE, "a mail address needs a domain after the @")
    return f"{local}@{name}"
