"""URLs in one spelling: two that a browser would open alike are equal, as far as the text alone can tell.

Kept apart, because servers may tell them apart: the case of the path, the order and the plus signs of the query, the user
name and password before the host (they are part of the address of many a drop server). Dropped: the fragment, which never
leaves the browser.
"""

import re
from urllib.parse import unquote_to_bytes

from regcert.errors import Code, Refusal
from regcert.stix.address import find_browser_ipv4, read_address
from regcert.stix.host_name import MAX_NAME_CHARACTERS, read_host_name

MAX_URL_CHARACTERS = 8192

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31})://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?")
_AUTHORITY = re.compile(r"(?:(.*)@)?(\[[^\[\]]*\]|[^:\[\]@]*)(?::([0-9]{0,8}))?")
# A name for a host, no user, no port, nothing escaped: in canonical form, if no segment begins with a dot and none is too long.
_CANONICAL = re.compile(
    r"https?://(?:[a-z0-9_-]{1,63}\.)*+[a-z_-][a-z0-9_-]{0,62}/[A-Za-z0-9._~!$&'()*+,;=:@/-]*+(?:\?[A-Za-z0-9._~!$&()*+,;=:@/?-]*+)?"
)
_BROWSED = frozenset({"http", "https", "ws", "wss", "ftp"})  # WHATWG calls these special
_DEFAULT_PORTS = {
    "http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21, "ftps": 990, "ldap": 389, "ldaps": 636, "rmi": 1099,
    "sftp": 22, "smb": 445, "ssh": 22, "telnet": 23,
}  # fmt: skip

# A percent sign that begins no escape becomes %25: left alone it could join with what is decoded after it.
_PERCENT = re.compile(r"%(?:([0-9A-Fa-f]{2}))?|[ \"<>`{}^]|[^\x00-\x7f]+")
# Browsers escape the apostrophe of a query, not that of a path.
_QUERY_PERCENT = re.compile(r"%(?:([0-9A-Fa-f]{2}))?|[ \"'<>`{}^]|[^\x00-\x7f]+")
_USER_PERCENT = re.compile(r"%(?:([0-9A-Fa-f]{2}))?|[ \"<>`{}^/\\?#@:;=|\[\]]|[^\x00-\x7f]+")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def read_url(text: str) -> str:
    """Read a URL into its canonical spelling.

    Scheme and host in lower case, the host as in `read_host_name` or as a plain address, default ports and fragment dropped,
    dot segments resolved, an empty path made `/`, escapes in upper case where needed and decoded where not.

    Args:
        text: `scheme://...`, at most 8192 characters, before and after.

    Raises:
        Refusal: INVALID_OBSERVABLE.

    Spec: RFC 3986 §6.2, WHATWG URL §4 for http, https, ftp, ws and wss
    """
    if len(text) <= MAX_NAME_CHARACTERS and _CANONICAL.fullmatch(text) and "/." not in text:
        return text
    text = text.strip(" ")
    if len(text) > MAX_URL_CHARACTERS:
        raise Refusal(Code.INVALID_OBSERVABLE, "the URL is longer than 8192 characters")
    if not text.isprintable():
        raise Refusal(Code.INVALID_OBSERVABLE, "the URL holds a character that cannot be seen: type it anew")
    match = _URL.fullmatch(_with_forward_slashes(text))
    if match is None:
        raise Refusal(Code.INVALID_OBSERVABLE, "not a URL: write it with its scheme, as in https://example.org/path")
    scheme, authority, path, query = match.groups(default="")
    scheme = scheme.lower()
    path = _without_dot_segments(_normal_percent(path, _PERCENT))
    query = _normal_percent(query, _QUERY_PERCENT if scheme in _BROWSED else _PERCENT)
    url = f"{scheme}://{_authority(scheme, authority)}{path or '/'}{query}"
    if len(url) > MAX_URL_CHARACTERS:
        raise Refusal(Code.INVALID_OBSERVABLE, "the URL is longer than 8192 characters once it is escaped")
    return url


def _with_forward_slashes(text: str) -> str:
    """Turn backslashes before the query round, where browsers do so."""
    if "\\" not in text or text.partition(":")[0].lower() not in _BROWSED:
        return text
    end = min((at for at in (text.find("?"), text.find("#")) if at >= 0), default=len(text))
    return text[:end].replace("\\", "/") + text[end:]


def _authority(scheme: str, text: str) -> str:
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        raise Refusal(Code.INVALID_OBSERVABLE, "the URL's host or port cannot be read")
    user, host, port = match.groups(default="")
    return _user(user) + _host(host) + _port(scheme, port)


def _user(text: str) -> str:
    name, _, password = text.partition(":")
    name, password = _normal_percent(name, _USER_PERCENT), _normal_percent(password, _USER_PERCENT)
    if password:
        return f"{name}:{password}@"
    return f"{name}@" if name else ""


def _host(text: str) -> str:
    if text.startswith("["):
        address = read_address(text[1:-1])
        return f"[{address}]" if address.version == 6 else str(address)
    if "%" in text:
        text = _unquoted(text)
    name = read_host_name(text)
    return str(find_browser_ipv4(name) or name)


def _unquoted(host: str) -> str:
    try:
        return unquote_to_bytes(host).decode()
    except UnicodeDecodeError as error:
        raise Refusal(Code.INVALID_OBSERVABLE, "the URL's host holds escapes that are not UTF-8") from error


def _port(scheme: str, text: str) -> str:
    if not text:
        return ""
    port = int(text)
    if port > 65535:
        raise Refusal(Code.INVALID_OBSERVABLE, "the URL's port is above 65535")
    return "" if port == _DEFAULT_PORTS.get(scheme) else f":{port}"


def _normal_percent(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(_normal_escape, text)


def _normal_escape(match: re.Match[str]) -> str:
    escape = match[1]
    if escape is None:
        return "".join(f"%{byte:02X}" for byte in match[0].encode())
    character = chr(int(escape, 16))
    return character if character in _UNRESERVED else f"%{escape.upper()}"


def _without_dot_segments(path: str) -> str:
    """Resolve `.` and `..`; escapes of dots are decoded by now."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
