"""What this evaluator offers. Importing it imports no metric and no network."""

from __future__ import annotations

from genlevel_evaluator.evaluator import Evaluator

EVALUATOR = Evaluator(
    name="language",
    package="genlevel_language",
    metric_ids=(
        "accuracy",
        "macro_accuracy",
        "exact_match_1",
        "token_f1",
        "micro_f1",
        "f1",
        "event_f1",
        "entity_f1",
        "relation_f1",
        "bleu_1",
        "bleu_4",
        "cider",
        "codebleu",
        "anls",
        "mae",
        "rmse",
        "rouge_1_f",
        "rouge_l_f",
        "gpt_score",
        "user_preference",
        "mos",
    ),
    has_backbones=False,
)
