"""Defanged text back into the value it stands for; only spellings that nothing else uses are touched."""

import re

_OUTER = " \t\r\n\v\f\xa0\"'`“”‘’«»"
# Runs of blanks are bounded: an open-ended run before a word makes the search quadratic.
_DOT = re.compile(r"\s{0,4}(?:\[\.\]?|\.\]|\(\.\)|\{\.\}|<\.>|[\[({<]dot[\])}>])\s{0,4}", re.IGNORECASE)
_AT = re.compile(r"\s{0,4}(?:\[@\]|\(@\)|\{@\}|[\[({]at[\])}])\s{0,4}", re.IGNORECASE)
_SLASHES = re.compile(r"\[://\]|\[:\]//|\(:\)//|:\[//\]", re.IGNORECASE)
_HTTP = re.compile(r"\Ah(?:x{2,3}|xt|tx|\*\*)p(?=s?:[\\/])", re.IGNORECASE)
_FTP = re.compile(r"\Afxp(?=s?:[\\/])", re.IGNORECASE)
_SPOKEN_DOT = re.compile(r"[ \t]{1,4}dot[ \t]{1,4}", re.IGNORECASE)
_SPOKEN_AT = re.compile(r"[ \t]{1,4}at[ \t]{1,4}", re.IGNORECASE)


def refang(text: str) -> str:
    """Undo defanging: `hxxp`, `[.]`, `[.`, `(dot)`, `[:]`, `[at]`, and ` dot ` where nothing but one value remains.

    Args:
        text: what a person pasted; bounded by the caller.

    Returns:
        The value without outer blanks and quotes; text that was not defanged comes back as it is.
    """
    value = text.strip(_OUTER)
    if value.startswith("<") and value.endswith(">"):
        value = value[1:-1].strip(_OUTER)
    if any(bracket in value for bracket in "[({<]"):
        value = _AT.sub("@", _DOT.sub(".", _SLASHES.sub("://", value)))
        value = value.replace("[:]", ":").replace("[/]", "/")
    spoken = _SPOKEN_AT.sub("@", _SPOKEN_DOT.sub(".", value))
    if spoken != value and " " not in spoken:
        value = spoken
    return _FTP.sub("ftp", _HTTP.sub("http", value))
