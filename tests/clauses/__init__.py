"""Every normative statement of TAXII 2.1 that concerns a server, and which tests prove it.

The statements are data, in the TOML files beside this, in our own words. A test says `@pytest.mark.clause("5.4-m3")`, and
docs/taxii-conformance.md is written from both, by `make conformance-doc`.
"""
