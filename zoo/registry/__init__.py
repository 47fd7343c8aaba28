"""The registry: which models, parts and plugins there are, as data; imports no torch."""
