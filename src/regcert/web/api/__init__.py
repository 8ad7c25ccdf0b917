"""Our own JSON over HTTP: sightings in, incidents out. Described in docs/api.md."""
