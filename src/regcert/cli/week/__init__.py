"""The scripted week of `regcert demo`: a host of its own, a region that uses it, and a promise that is checked.

`script` reads deploy/demo/week.toml, the story as data. `scenes` writes it out with the objects from `props` and the `noise`
around them: every publication and sighting with its hour, the same for the same moment. `stage` puts up a host in a folder
of its own and takes it down again. `play` lets the teams act through the interfaces that anybody has, TAXII and the API, and
nothing else. `promise` compares what correlation found with what was planted.
"""
