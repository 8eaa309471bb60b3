"""What every GenLevel evaluator shares."""
