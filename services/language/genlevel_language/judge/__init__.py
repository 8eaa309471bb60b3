"""A judge: a language model behind an OpenAI-compatible `/chat/completions`, asked whether an answer is right.

    settings   where it is, from the environment; nothing by default
    prompt     what it is asked, from the files in prompts/
    reply      what it answered
    endpoint   one request
    cache      answers that were given before
    client     many questions: cache, bounded concurrency, retries, and what is said when no answer comes
"""
