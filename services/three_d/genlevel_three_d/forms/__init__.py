"""What predictions and references of each input kind are decoded to."""
