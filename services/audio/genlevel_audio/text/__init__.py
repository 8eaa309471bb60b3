"""Text normalisers of WER."""
