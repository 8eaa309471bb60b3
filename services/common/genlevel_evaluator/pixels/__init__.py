"""Pixels that several services read or compare: files of pictures, run lengths, structural similarity."""
