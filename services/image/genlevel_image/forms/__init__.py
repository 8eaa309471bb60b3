"""From JSON and its files to the decoded values of the input kinds."""
