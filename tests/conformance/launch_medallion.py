"""Run by the Python of an environment that has medallion: serve it on a free port, and print the address.

python launch_medallion.py FOLDER
"""

import importlib
import json
import sys
import uuid
from pathlib import Path
from typing import Any

MEDIA_TYPE = "application/taxii+json;version=2.1"


def collection(title: str, *, can_read: bool, can_write: bool) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "title": title,
        "can_read": can_read,
        "can_write": can_write,
        "media_types": ["application/stix+json;version=2.1"],
        "objects": [],
        "manifest": [],
    }


folder = Path(sys.argv[1])
data = {
    "/discovery": {"title": "medallion", "default": "/root/", "api_roots": ["/root/"]},
    "root": {
        "information": {"title": "root", "versions": [MEDIA_TYPE], "max_content_length": 1_000_000},
        "status": [],
        "collections": [
            collection("Inbox", can_read=True, can_write=True),
            collection("Archive", can_read=True, can_write=False),
            collection("Drop", can_read=False, can_write=True),
        ],
    },
}
(folder / "data.json").write_text(json.dumps(data))
config = {
    "backend": {
        "module": "medallion.backends.memory_backend",
        "module_class": "MemoryBackend",
        "filename": str(folder / "data.json"),
    },
    "users": {"peer": "password"},
    "taxii": {"max_page_size": 1000},
}
(folder / "config.json").write_text(json.dumps(config))
app = importlib.import_module("medallion").load_app(str(folder / "config.json"))
server = importlib.import_module("werkzeug.serving").make_server("127.0.0.1", 0, app, threaded=True)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
