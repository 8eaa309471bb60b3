"""Runs: plan, dispatch, journal, resume, results."""
