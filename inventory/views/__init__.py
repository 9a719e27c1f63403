"""Pages for one fan or one person at the door: each reads, or makes one domain call and tells what came of it."""
