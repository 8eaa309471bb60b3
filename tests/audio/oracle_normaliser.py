"""Runs in .oracles/mcd: Whisper's English normaliser by whisper-normalizer 0.1.15, less the four words it adds to OpenAI's release."""

import json
import sys

from whisper_normalizer.english import EnglishTextNormalizer

normaliser = EnglishTextNormalizer()
for word in ("kinda", "sorta", "dunno", "cause"):
    del normaliser.replacers[rf"\b{word}\b"]
print(json.dumps([normaliser(text) for text in json.load(sys.stdin)]))
