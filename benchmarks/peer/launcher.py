"""Runs in the peer's environment, with nothing of ours: the application for gunicorn and, run by itself, its first data.

As released, 0.9.3 cannot write its own UUIDs as JSON, and stops at a STIX object without `modified`, such as a
cyber-observable. Both are mended here, so that it can be measured at all; 0.10.0b1 needs neither.
"""

import importlib
import json
import uuid
from typing import Any

_write_default = json.JSONEncoder.default


def _write_uuid(self: json.JSONEncoder, value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) else _write_default(self, value)


json.JSONEncoder.default = _write_uuid  # type: ignore[assignment,method-assign]

_opentaxii: Any = importlib.import_module("opentaxii.http")
_is_old = importlib.import_module("opentaxii._version").__version__.startswith("0.9.")
app = _opentaxii.app

if _is_old:
    _storage: Any = type(_opentaxii.server.servers.taxii2.persistence.api)
    _add_objects = _storage.add_objects

    def _add_dated(self: Any, api_root_id: Any, collection_id: Any, objects: Any) -> Any:
        dated = [{"modified": "1970-01-01T00:00:00.000Z"} | one for one in objects]
        return _add_objects(self, api_root_id, collection_id, dated)

    _storage.add_objects = _add_dated


def _add_first_data() -> dict[str, str]:
    server = _opentaxii.server
    with app.app_context():
        storage, accounts = server.servers.taxii2.persistence.api, server.auth.api
        root = storage.add_api_root(title="bench", default=True)
        collection = storage.add_collection(api_root_id=root.id, title="bench")
        account = accounts.create_account("bench", "of-one-run")
        account.is_admin = True  # 0.9.3 has no other way to let an account read and write a TAXII 2 collection
        accounts.update_account(account)
        return {
            "collection": str(collection.id),
            "path": f"/taxii2/{root.id}/collections/{collection.id}/",
            "token": accounts.authenticate("bench", "of-one-run"),
        }


if __name__ == "__main__":
    print(json.dumps(_add_first_data()))
