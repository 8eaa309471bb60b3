"""The command line ``genlevel``."""
