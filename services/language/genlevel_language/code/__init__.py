"""Program text: its languages, syntax trees, and the flow of data between its variables. Grammars are loaded on first use."""
