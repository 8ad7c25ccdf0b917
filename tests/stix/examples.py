"""One minimal and one rich example of every object type of STIX 2.1; all names in them are invented."""

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

Json = dict[str, Any]

CREATED = "2026-11-21T19:55:39.123Z"
LATER = "2026-11-22T08:00:00Z"


def an_id(kind: str, number: int = 1) -> str:
    """Make the same id each time."""
    return f"{kind}--{uuid5(NAMESPACE_URL, f'{kind}/{number}')}"


EXTENSION = an_id("extension-definition")
HASHES = {"MD5": "0" * 32, "SHA-1": "1" * 40, "SHA-256": "A" * 64, "SHA-512": "f" * 128, "SHA3-256": "3" * 64}
PHASES = [{"kill_chain_name": "mitre-ics-attack", "phase_name": "impact"}]
SEEN = {"first_seen": CREATED, "last_seen": LATER}
MOTIVES = {
    "goals": ["money"],
    "resource_level": "team",
    "primary_motivation": "personal-gain",
    "secondary_motivations": ["revenge"],
}

_COMMON: Json = {
    "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],
    "granular_markings": [
        {"marking_ref": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "selectors": ["type"]},
        {"lang": "sq", "selectors": ["id"]},
    ],
    "x_regcert_note": {"any": ["thing", 1, None]},
}
_VERSIONED: Json = {
    **_COMMON,
    "created_by_ref": an_id("identity"),
    "revoked": False,
    "labels": ["energy"],
    "confidence": 80,
    "lang": "en",
    "external_references": [
        {
            "source_name": "report",
            "description": "an advisory",
            "url": "https://cert.example/1",
            "hashes": {"SHA-256": "b" * 64},
        },
        {"source_name": "cve", "external_id": "CVE-2026-0001"},
    ],
    "extensions": {EXTENSION: {"extension_type": "property-extension", "sector": "energy"}},
}

# type -> (what it must have, what it may have too), both beyond the common properties
_DOMAIN: dict[str, tuple[Json, Json]] = {
    "attack-pattern": ({"name": "Phishing"}, {"description": "Mail", "aliases": ["Spear"], "kill_chain_phases": PHASES}),
    "campaign": ({"name": "Bora"}, {"description": "Wind", "aliases": ["B"], "objective": "money", **SEEN}),
    "course-of-action": ({"name": "Block"}, {"description": "At the gateway"}),
    "grouping": (
        {"context": "suspicious-activity", "object_refs": [an_id("indicator")]},
        {"name": "Together", "description": "One mail"},
    ),
    "identity": (
        {"name": "CERT Example"},
        {
            "description": "A team",
            "roles": ["analyst"],
            "identity_class": "organization",
            "sectors": ["energy"],
            "contact_information": "cert@example.org",
        },
    ),
    "incident": ({"name": "Outage"}, {"description": "A grid", "kill_chain_phases": PHASES}),
    "indicator": (
        {"pattern": "[url:value = 'http://bad.example/']", "pattern_type": "stix", "valid_from": CREATED},
        {
            "name": "Bad",
            "description": "Dropper",
            "indicator_types": ["malicious-activity"],
            "pattern_version": "2.1",
            "valid_until": LATER,
            "kill_chain_phases": PHASES,
        },
    ),
    "infrastructure": (
        {"name": "C2"},
        {
            "description": "A server",
            "infrastructure_types": ["botnet"],
            "aliases": ["c"],
            "kill_chain_phases": PHASES,
            **SEEN,
        },
    ),
    "intrusion-set": ({"name": "Set"}, {"description": "Known", "aliases": ["S"], **SEEN, **MOTIVES}),
    "location": (
        {"country": "ME"},
        {
            "name": "Bar",
            "description": "A port",
            "latitude": 42.1,
            "longitude": 19.1,
            "precision": 100.0,
            "region": "southern-europe",
            "administrative_area": "Bar",
            "city": "Bar",
            "street_address": "1",
            "postal_code": "85000",
        },
    ),
    "malware": (
        {"is_family": False},
        {
            "name": "Wiper",
            "description": "Wipes",
            "malware_types": ["wiper"],
            "aliases": ["W"],
            "kill_chain_phases": PHASES,
            **SEEN,
            "operating_system_refs": [an_id("software")],
            "architecture_execution_envs": ["x86"],
            "implementation_languages": ["c"],
            "capabilities": ["anti-vm"],
            "sample_refs": [an_id("file"), an_id("artifact")],
        },
    ),
    "malware-analysis": (
        {"product": "sandbox", "result": "malicious"},
        {
            "version": "1",
            "host_vm_ref": an_id("software"),
            "operating_system_ref": an_id("software"),
            "installed_software_refs": [an_id("software", 2)],
            "configuration_version": "1",
            "modules": ["m"],
            "analysis_engine_version": "1",
            "analysis_definition_version": "1",
            "submitted": CREATED,
            "analysis_started": CREATED,
            "analysis_ended": LATER,
            "result_name": "Wiper.A",
            "analysis_sco_refs": [an_id("file")],
            "sample_ref": an_id("file"),
        },
    ),
    "note": ({"content": "Look", "object_refs": [an_id("indicator")]}, {"abstract": "L", "authors": ["A"]}),
    "observed-data": (
        {"first_observed": CREATED, "last_observed": CREATED, "number_observed": 1, "object_refs": [an_id("url")]},
        {},
    ),
    "opinion": (
        {"opinion": "agree", "object_refs": [an_id("indicator")]},
        {"explanation": "Seen too", "authors": ["A"]},
    ),
    "report": (
        {"name": "Week", "published": CREATED, "object_refs": [an_id("indicator")]},
        {"description": "All", "report_types": ["indicator"]},
    ),
    "threat-actor": (
        {"name": "Gang"},
        {
            "description": "G",
            "threat_actor_types": ["crime-syndicate"],
            "aliases": ["g"],
            **SEEN,
            "roles": ["agent"],
            **MOTIVES,
            "sophistication": "expert",
            "personal_motivations": ["revenge"],
        },
    ),
    "tool": (
        {"name": "nmap"},
        {"description": "N", "tool_types": ["scanner"], "aliases": ["n"], "kill_chain_phases": PHASES, "tool_version": "7"},
    ),
    "vulnerability": ({"name": "CVE-2026-0001"}, {"description": "Overflow"}),
    "relationship": (
        {"relationship_type": "indicates", "source_ref": an_id("indicator"), "target_ref": an_id("malware")},
        {"description": "R", "start_time": CREATED, "stop_time": LATER},
    ),
    "sighting": (
        {"sighting_of_ref": an_id("indicator")},
        {
            "description": "S",
            **SEEN,
            "count": 0,
            "observed_data_refs": [an_id("observed-data")],
            "where_sighted_refs": [an_id("identity"), an_id("location")],
            "summary": False,
        },
    ),
    "extension-definition": (
        {
            "created_by_ref": an_id("identity"),
            "name": "Sector",
            "schema": "https://cert.example/schema",
            "version": "1.0.0",
            "extension_types": ["property-extension", "new-sdo"],
        },
        {"description": "S", "extension_properties": ["sector"]},
    ),
    "language-content": (
        {"object_ref": an_id("campaign"), "contents": {"sq": {"name": "Era"}}},
        {"object_modified": CREATED},
    ),
}

_PE_HEX = [
    "magic_hex",
    "win32_version_value_hex",
    "checksum_hex",
    "subsystem_hex",
    "dll_characteristics_hex",
    "loader_flags_hex",
]
_PE_NUMBERS = [
    *(f"{part}_{what}_version" for part in ("major", "minor") for what in ("linker", "os", "image", "subsystem")),
    *(f"size_of_{what}" for what in ("code", "initialized_data", "uninitialized_data", "image", "headers")),
    *(f"size_of_{what}_{how}" for what in ("stack", "heap") for how in ("reserve", "commit")),
    *("address_of_entry_point", "base_of_code", "base_of_data", "image_base", "section_alignment", "file_alignment"),
    "number_of_rva_and_sizes",
]
_X509_TIMES = ["private_key_usage_period_not_before", "private_key_usage_period_not_after"]
_X509_TEXTS = [
    *(f"{what}_constraints" for what in ("basic", "name", "policy")),
    *("key_usage", "extended_key_usage", "subject_key_identifier", "authority_key_identifier"),
    *("subject_alternative_name", "issuer_alternative_name", "subject_directory_attributes"),
    *("crl_distribution_points", "inhibit_any_policy", "certificate_policies", "policy_mappings"),
]

_ADDRESS: Json = {"value": "192.0.2.1"}
_RESOLVED: Json = {"resolves_to_refs": [an_id("mac-addr")], "belongs_to_refs": [an_id("autonomous-system")]}
_OBSERVABLE: dict[str, tuple[Json, Json]] = {
    "artifact": (
        {"payload_bin": "VGhpcyBpcyBhIHRlc3Q="},
        {
            "mime_type": "application/zip",
            "hashes": HASHES,
            "encryption_algorithm": "mime-type-indicated",
            "decryption_key": "infected",
        },
    ),
    "autonomous-system": ({"number": 64496}, {"name": "AS", "rir": "RIPE"}),
    "directory": (
        {"path": "C:\\Windows"},
        {"path_enc": "cp1250", "ctime": CREATED, "mtime": CREATED, "atime": CREATED, "contains_refs": [an_id("file")]},
    ),
    "domain-name": ({"value": "bad.example"}, {"resolves_to_refs": [an_id("ipv4-addr"), an_id("domain-name", 2)]}),
    "email-addr": ({"value": "a@bad.example"}, {"display_name": "A", "belongs_to_ref": an_id("user-account")}),
    "email-message": (
        {"is_multipart": True},
        {
            "date": CREATED,
            "content_type": "multipart/mixed",
            "from_ref": an_id("email-addr"),
            "sender_ref": an_id("email-addr"),
            "to_refs": [an_id("email-addr")],
            "cc_refs": [an_id("email-addr")],
            "bcc_refs": [an_id("email-addr")],
            "message_id": "<1@bad.example>",
            "subject": "Invoice",
            "received_lines": ["from a by b"],
            "additional_header_fields": {"X-Mailer": ["m"]},
            "body_multipart": [
                {"body": "Hello", "content_type": "text/plain"},
                {"body_raw_ref": an_id("artifact"), "content_disposition": "attachment"},
            ],
            "raw_email_ref": an_id("artifact"),
        },
    ),
    "file": (
        {"hashes": HASHES},
        {
            "size": 1,
            "name": "a.exe",
            "name_enc": "cp1250",
            "magic_number_hex": "4d5a",
            "mime_type": "application/x-dosexec",
            "ctime": CREATED,
            "mtime": CREATED,
            "atime": CREATED,
            "parent_directory_ref": an_id("directory"),
            "contains_refs": [an_id("url")],
            "content_ref": an_id("artifact"),
            "extensions": {
                "archive-ext": {"contains_refs": [an_id("file", 2), an_id("directory")], "comment": "c"},
                "ntfs-ext": {"sid": "S-1", "alternate_data_streams": [{"name": "s", "hashes": HASHES, "size": 1}]},
                "pdf-ext": {
                    "version": "1.7",
                    "is_optimized": True,
                    "document_info_dict": {"Title": "T"},
                    "pdfid0": "a",
                    "pdfid1": "b",
                },
                "raster-image-ext": {"image_height": 1, "image_width": 1, "bits_per_pixel": 8, "exif_tags": {"Make": "M"}},
                "windows-pebinary-ext": {
                    "pe_type": "exe",
                    "imphash": "0" * 32,
                    "machine_hex": "014c",
                    "number_of_sections": 1,
                    "time_date_stamp": LATER,
                    "pointer_to_symbol_table_hex": "00",
                    "number_of_symbols": 0,
                    "size_of_optional_header": 224,
                    "characteristics_hex": "818f",
                    "file_header_hashes": HASHES,
                    "optional_header": {**dict.fromkeys(_PE_HEX, "0b"), **dict.fromkeys(_PE_NUMBERS, 1), "hashes": HASHES},
                    "sections": [{"name": ".text", "size": 1, "entropy": 6.5, "hashes": HASHES}],
                },
            },
        },
    ),
    "ipv4-addr": (_ADDRESS, _RESOLVED),
    "ipv6-addr": ({"value": "2001:db8::/32"}, _RESOLVED),
    "mac-addr": ({"value": "d2:fb:49:24:37:18"}, {}),
    "mutex": ({"name": "__CLEANSWEEP__"}, {}),
    "network-traffic": (
        {"protocols": ["tcp"], "src_ref": an_id("ipv4-addr")},
        {
            "start": CREATED,
            "end": LATER,
            "is_active": False,
            "dst_ref": an_id("domain-name"),
            "src_port": 0,
            "dst_port": 65535,
            "src_byte_count": 1,
            "dst_byte_count": 1,
            "src_packets": 1,
            "dst_packets": 1,
            "ipfix": {"minimumIpTotalLength": 32},
            "src_payload_ref": an_id("artifact"),
            "dst_payload_ref": an_id("artifact"),
            "encapsulates_refs": [an_id("network-traffic", 2)],
            "encapsulated_by_ref": an_id("network-traffic", 3),
            "extensions": {
                "http-request-ext": {
                    "request_method": "get",
                    "request_value": "/",
                    "request_version": "http/1.1",
                    "request_header": {"Host": ["bad.example"]},
                    "message_body_length": 1,
                    "message_body_data_ref": an_id("artifact"),
                },
                "icmp-ext": {"icmp_type_hex": "08", "icmp_code_hex": "00"},
                "socket-ext": {
                    "address_family": "AF_INET",
                    "is_blocking": True,
                    "is_listening": True,
                    "options": {"SO_KEEPALIVE": 1},
                    "socket_type": "SOCK_STREAM",
                    "socket_descriptor": 3,
                    "socket_handle": 4,
                },
                "tcp-ext": {"src_flags_hex": "02", "dst_flags_hex": "12"},
            },
        },
    ),
    "process": (
        {"pid": 1},
        {
            "is_hidden": False,
            "created_time": CREATED,
            "cwd": "/",
            "command_line": "a -b",
            "environment_variables": {"PATH": "/bin"},
            "opened_connection_refs": [an_id("network-traffic")],
            "creator_user_ref": an_id("user-account"),
            "image_ref": an_id("file"),
            "parent_ref": an_id("process", 2),
            "child_refs": [an_id("process", 3)],
            "extensions": {
                "windows-process-ext": {
                    "aslr_enabled": True,
                    "dep_enabled": True,
                    "priority": "HIGH",
                    "owner_sid": "S-1",
                    "window_title": "w",
                    "startup_info": {"cb": 1},
                    "integrity_level": "low",
                },
                "windows-service-ext": {
                    "service_name": "s",
                    "descriptions": ["d"],
                    "display_name": "S",
                    "group_name": "g",
                    "start_type": "SERVICE_AUTO_START",
                    "service_dll_refs": [an_id("file")],
                    "service_type": "SERVICE_KERNEL_DRIVER",
                    "service_status": "SERVICE_RUNNING",
                },
            },
        },
    ),
    "software": (
        {"name": "Word"},
        {"cpe": "cpe:2.3:a:m:w:*:*:*:*:*:*:*:*", "swid": "s", "languages": ["en"], "vendor": "M", "version": "1"},
    ),
    "url": ({"value": "http://bad.example/"}, {}),
    "user-account": (
        {"user_id": "1001"},
        {
            "credential": "x",
            "account_login": "a",
            "account_type": "unix",
            "display_name": "A",
            "is_service_account": False,
            "is_privileged": False,
            "can_escalate_privs": True,
            "is_disabled": False,
            "account_created": CREATED,
            "account_expires": LATER,
            "credential_last_changed": CREATED,
            "account_first_login": CREATED,
            "account_last_login": LATER,
            "extensions": {"unix-account-ext": {"gid": 1, "groups": ["wheel"], "home_dir": "/home/a", "shell": "/bin/sh"}},
        },
    ),
    "windows-registry-key": (
        {"key": "HKEY_LOCAL_MACHINE\\Software"},
        {
            "values": [{"name": "n", "data": "d", "data_type": "REG_SZ"}],
            "modified_time": CREATED,
            "creator_user_ref": an_id("user-account"),
            "number_of_subkeys": 1,
        },
    ),
    "x509-certificate": (
        {"serial_number": "36:f7"},
        {
            "is_self_signed": True,
            "hashes": HASHES,
            "version": "3",
            "signature_algorithm": "ecdsa",
            "issuer": "CN=a",
            "validity_not_before": CREATED,
            "validity_not_after": LATER,
            "subject": "CN=b",
            "subject_public_key_algorithm": "rsa",
            "subject_public_key_modulus": "00",
            "subject_public_key_exponent": 65537,
            "x509_v3_extensions": {**dict.fromkeys(_X509_TEXTS, "t"), **dict.fromkeys(_X509_TIMES, CREATED)},
        },
    ),
}

_STATEMENT: Json = {
    "type": "marking-definition",
    "spec_version": "2.1",
    "id": an_id("marking-definition"),
    "created": CREATED,
    "definition_type": "statement",
    "definition": {"statement": "Copyright 2026, Example"},
}
_TLP_2: Json = {
    **{name: value for name, value in _STATEMENT.items() if not name.startswith("definition")},
    "id": an_id("marking-definition", 2),
    "name": "TLP:CLEAR",
    "created_by_ref": an_id("identity"),
    "external_references": _VERSIONED["external_references"],
    "object_marking_refs": _COMMON["object_marking_refs"],
    "granular_markings": _COMMON["granular_markings"],
    "extensions": {EXTENSION: {"extension_type": "property-extension", "tlp_2_0": "clear"}},
}


def _versioned(kind: str, own: Json) -> Json:
    return {"type": kind, "spec_version": "2.1", "id": an_id(kind), "created": CREATED, "modified": CREATED, **own}


def _examples() -> tuple[dict[str, Json], dict[str, Json]]:
    minimal = {kind: _versioned(kind, own) for kind, (own, _) in _DOMAIN.items()}
    rich = {kind: _versioned(kind, {**_VERSIONED, **own, **more}) for kind, (own, more) in _DOMAIN.items()}
    for kind, (own, more) in _OBSERVABLE.items():
        head = {"type": kind, "id": an_id(kind)}
        minimal[kind] = {**head, **own}
        rich[kind] = {**head, "spec_version": "2.1", "defanged": False, **_COMMON, **own, **more}
    minimal["marking-definition"], rich["marking-definition"] = _STATEMENT, _TLP_2
    # through text, so that no two places share a value: who changes one must not change the other
    return json.loads(json.dumps(minimal)), json.loads(json.dumps(rich))


MINIMAL, RICH = _examples()
