"""Run by the Python of an environment that has OpenTAXII: serve it on a free port, and print the address.

    python launch_opentaxii.py FOLDER

As released, it cannot write its own UUIDs as JSON, so that hardly anything is answered: the encoder is given a default here.
"""

import importlib
import json
import os
import sys
import uuid
from pathlib import Path


def write_uuid(_: json.JSONEncoder, value: object) -> str:
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError


json.JSONEncoder.default = write_uuid  # type: ignore[method-assign,assignment]
folder = Path(sys.argv[1])
config = {
    "domain": "localhost",
    "support_basic_auth": True,
    "auth_api": {
        "class": "opentaxii.auth.sqldb.SQLDatabaseAPI",
        "parameters": {"db_connection": f"sqlite:///{folder}/auth.db", "create_tables": True, "secret": "for a test"},
    },
    "taxii1": None,
    "taxii2": {
        "title": "OpenTAXII",
        "max_content_length": 1_000_000,
        "public_discovery": False,
        "allow_custom_properties": True,
        "persistence_api": {
            "class": "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI",
            "parameters": {"db_connection": f"sqlite:///{folder}/data.db", "create_tables": True},
        },
    },
    "logging": {"opentaxii": "error", "root": "error"},
}
(folder / "config.yml").write_text(json.dumps(config))
os.environ["OPENTAXII_CONFIG"] = str(folder / "config.yml")

app = importlib.import_module("opentaxii.cli").app
app.debug = False
with app.app_context():
    importlib.import_module("opentaxii.local").context.account = None
    api = app.taxii_server.servers.taxii2.persistence.api
    root = api.add_api_root(title="root", description=None, default=True)
    inbox = api.add_collection(api_root_id=root.id, title="Inbox", alias="inbox")
    archive = api.add_collection(api_root_id=root.id, title="Archive")
    app.taxii_server.auth.api.create_account(username="peer", password="password", is_admin=True)
server = importlib.import_module("werkzeug.serving").make_server("127.0.0.1", 0, app, threaded=True)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
