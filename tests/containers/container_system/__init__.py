"""The system in containers, for tests and benchmarks: put this folder's parent on the path to import it."""
