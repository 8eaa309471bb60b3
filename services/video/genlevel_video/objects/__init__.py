"""What is to be seen in the frames of a generated clip: targets, detections and captions, and who makes them."""
