"""Pages that people read: one file each, with its pictures and sounds in it, no script, nothing from the network."""
