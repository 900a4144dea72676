"""Making reference clips: built-in sentences, the running of other programs, and corpora spoken by synthesizers."""
