"""Fills the catalogue once: a Job."""
import store

CATALOGUE = {"apple": 30, "pear": 40, "plum": 25}

store.put("catalogue", CATALOGUE)
assert store.get("catalogue") == CATALOGUE, "the database lost the catalogue"
print(f"{len(CATALOGUE)} articles in the catalogue")
