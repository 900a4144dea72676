"""Careless pipelines and cards."""

from earwitness.types import Card

PIPELINES = [
    "name: careful\nfrontend: careful\nembedder: means\nscorer: nearest",
    "name: bare\nfrontend: bare\nembedder: over_samples\nscorer: nearest",
    "name: misspelt\nfrontend: carefull\nembedder: means\nscorer: nearest",
    "name: infinite\nfrontend: {careful: {scale: .inf}}\nembedder: means\nscorer: nearest",
    "name: not_in_yaml\nfrontend: not_in_yaml\nembedder: means\nscorer: nearest",
]
CARDS = [
    Card("careful", vendor="Acme"),
    Card("nobody's"),
    Card("listed", vendor="Acme", languages=["en"]),
    Card("unheard", kind="device", vendor="Acme", model="One"),
]
