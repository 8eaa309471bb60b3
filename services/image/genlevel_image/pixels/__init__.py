"""Arithmetic on pixels: errors, similarity, borders, regions and colours."""
