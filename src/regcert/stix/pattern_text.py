"""Write a value as the STIX pattern that finds it; `stix/extract.py` reads the same value from it again."""

from collections.abc import Mapping

from regcert.stix.observable import Observable, ObservableKind

_PATHS: Mapping[ObservableKind, str] = {
    ObservableKind.IPV4: "ipv4-addr:value",
    ObservableKind.IPV6: "ipv6-addr:value",
    ObservableKind.DOMAIN: "domain-name:value",
    ObservableKind.URL: "url:value",
    ObservableKind.EMAIL: "email-addr:value",
    ObservableKind.MD5: "file:hashes.MD5",
    ObservableKind.SHA1: "file:hashes.'SHA-1'",
    ObservableKind.SHA256: "file:hashes.'SHA-256'",
    ObservableKind.SHA512: "file:hashes.'SHA-512'",
    ObservableKind.SSDEEP: "file:hashes.SSDEEP",
    ObservableKind.TLSH: "file:hashes.TLSH",
    ObservableKind.FILE_NAME: "file:name",
    ObservableKind.MUTEX: "mutex:name",
    ObservableKind.USER_AGENT: "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
}


def write_pattern(observable: Observable) -> str:
    """Write the pattern that matches a value.

    Spec: STIX 2.1 §9
    """
    kind, value = observable.kind, observable.value
    if kind is ObservableKind.ASN:
        return f"[autonomous-system:number = {int(value.upper().removeprefix('AS'))}]"
    text = value.replace("\\", "\\\\").replace("'", "\\'")
    if kind is ObservableKind.CIDR:
        return f"[{'ipv6' if ':' in value else 'ipv4'}-addr:value ISSUBSET '{text}']"
    return f"[{_PATHS[kind]} = '{text}']"
