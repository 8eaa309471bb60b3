"""What General-Bench's samples look like, task by task: fields, references, right and wrong answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from genlevel_orchestrator.catalogue import Task

COUNT = 8
_WHO = ["fox", "heron", "tractor", "lantern", "violin", "glacier", "market", "ferry"]
_DOES = ["waits", "sleeps", "turns", "glows", "sounds", "melts", "opens", "leaves"]
_WHERE = ["river", "barn", "field", "window", "stage", "valley", "square", "harbour"]
_CITIES = ["Paris", "London", "Rome", "Berlin"]
_DRESSES = [
    "{0}", "({0})", "The answer is ({0}) because the others fail.", "**{0}**", "{0}. {1}", "Option {0}", "答案是{0}", "{1}",
]  # fmt: skip


@dataclass
class Samples:
    """Samples of one task.

    Attributes:
        type: the annotation's ``type``.
        make: the fields of a sample but its id, by number.
        right: right answers, by number; likewise ``wrong``.
        envelope: further entries beside ``data``.
    """

    type: str
    make: Callable[[int], dict[str, Any]]
    right: Callable[[int], Any]
    wrong: Callable[[int], Any]
    envelope: dict[str, Any] = field(default_factory=dict)


def sentence(i: int) -> str:
    return f"The {_WHO[i]} {_DOES[i]} beside the {_WHERE[i]} today"


def other(i: int) -> str:
    """As many words as ``sentence`` has, and none of them."""
    return "qq zz xx vv kk jj ww"


def samples_of(task: Task) -> Samples:
    """The samples of a task, in the layout its group has in public bundles."""
    if task.modality == "language":
        return _language(task)
    by_metric = {
        "mae": _counting, "entity_f1": _entities, "relation_f1": _relation, "f1": _two_classes, "macro_accuracy": _two_classes,
        "event_f1": _events, "gpt_score": _judged, "exact_match_1": _situated,
    }  # fmt: skip
    if task.metric_id in by_metric:
        return by_metric[task.metric_id](task)
    if task.modality == "audio":
        return _audio(task)
    if task.metric_id != "accuracy":
        return _caption(task)
    if "match" in (task.folder or "").lower():
        return _matching(task)
    return _answer(task)


# Language


def _language(task: Task) -> Samples:
    name = task.task_id.rsplit(".", 1)[-1]
    if name in _GENERATION:
        return _GENERATION[name]
    if task.metric_id == "accuracy":
        return _multiple_choice(task.number)
    if task.metric_id == "micro_f1":
        return _labelled(task, name)
    if task.metric_id == "rouge_1_f":
        return _translation(name)
    return Samples(
        "OpenQA", lambda i: {"input": {"question": "?", "context": "c"}, "output": {"answer": [sentence(i), "none such"] if task.number % 2 else sentence(i)}},
        sentence, other,
    )  # fmt: skip


def _multiple_choice(number: int) -> Samples:
    def make(i: int) -> dict[str, Any]:
        letter = "ABCD"[i % 4]
        return {"input": {"question": "Which?", "options": _CITIES}, "output": {"answer": [letter] if number % 2 else letter}}

    return Samples(
        "MultipleChoiceQA", make, lambda i: _DRESSES[i].format("ABCD"[i % 4], _CITIES[i % 4]), lambda i: ["A or B", "ABCD"[(i + 1) % 4], "I cannot say.", ""][i % 4]
    )


def _plain(kind: str, make: Callable[[int], dict[str, Any]], right: Callable[[int], Any] = sentence) -> Samples:
    return Samples(kind, make, right, other)


def _code(i: int) -> str:
    return f"def {_WHO[i]}(first, second):\n    total = first * {i} + second\n    for step in range(total):\n        total = total - step\n    return total\n"


_GENERATION = {
    "code-generation": Samples(
        "Code Generation", lambda i: {"language": "python", "goal": "g", "context": [{"type": "example", "content": [{"input": "1", "output": "2"}]}], "output": {"response": {"content": _code(i)}}},
        _code, lambda i: "",
    ),
    "code-repair": Samples("Code Repair", lambda i: {"input": {"prompt": "p", "sourceCode": "x"}, "language": "python", "output": {"repairCode": _code(i)}}, _code, lambda i: ""),
    "code-defect-detection": Samples(
        "Code Defect Detection", lambda i: {"func": "int f(void);", "output": {"target": i % 2}},
        lambda i: ["No defect.", "It has a defect.", "0", "1", "no", "Yes", "The code is secure.", "vulnerable"][i], lambda i: ["1", "0", "maybe", ""][i % 4],
    ),
    "code-explanation": _plain("Code Explanation", lambda i: {"code": "x = 1", "output": {"nl": sentence(i)}}),
    "text-to-sql-generation": _plain("Text to SQL", lambda i: {"input": {"context": "c", "question": "q"}, "output": {"sql": sentence(i)}}),
    "mathematical-proof-generation": _plain(
        "Proof", lambda i: {"statement": "s", "output": {"proof": {"steps": [sentence(i), "so it holds"], "conclusion": "done"}}},
        lambda i: f"{sentence(i)}\nso it holds\nConclusion: done",
    ),
    "mathematical-word-problem-solving": Samples(
        "Mathematical Word Problem Solving", lambda i: {"problem": {"text": "t", "constraints": ["x > 0"]}, "output": {"solution": {"final_answer": str(10 + i)}}},
        lambda i: [f"{10 + i}", f"{10 + i}.0", f"so the answer is {10 + i}.", f"\\boxed{{{10 + i}}}"][i % 4], lambda i: "7 or 8",
    ),
    "multi-turn-daily-dialogue-generation": _plain("Dialogue", lambda i: {"dialog": [{"role": "a", "text": "hello"}], "output": {"response" if i % 2 else "reference": sentence(i)}}),
    "table-to-text-generation": _plain("Table-to-Text Generation", lambda i: {"input": {"table": [{"header": "h", "rows": ["1"]}]}, "output": {"response": {"text": sentence(i)}}}),
    "text-style-transfer": _plain("Text Style Transfer", lambda i: {"input": {"text": "t", "style": "s"}, "output": {"answer": sentence(i)}}),
    "story-generation": _plain("Story Generation", lambda i: {"input": {"prompt": "p"}, "output": {"story": sentence(i)}}),
    "paraphrase-generation": _plain("Paraphrase Generation", lambda i: {"input": {"originalSentence": "o"}, "output": {"paraphraseSentence": sentence(i)}}),
    "grammar-correction": _plain("Grammar Correction", lambda i: {"input": {"Error Type": "e", "Ungrammatical Statement": "u"}, "output": {"Standard English": sentence(i)}}),
    "time-series": Samples(
        "Time Series", lambda i: {"input": {"data": [1.0, 2.0]}, "output": {"target": [i, i + 1.5] if i % 2 else i}},
        lambda i: [i, f"Answer: [{i}, {i + 1.5}]", f"about {i}", [i, i + 1.5]][i % 4], lambda i: [i + 2, i + 3.5] if i % 2 else f"[{i + 2}]",
    ),
}  # fmt: skip


def _translation(name: str) -> Samples:
    if "translation" in name:
        return _plain("Translation", lambda i: {"in": "English", "out": "Chinese", "input": "t", "output": sentence(i) if i % 2 else {"translation": sentence(i)}})
    key = "summary" if name.startswith("abstractive") else "highlights"
    return _plain("Summarization", lambda i: {"document_list": ["d"], "output": {key: sentence(i)}})


def _labelled(task: Task, name: str) -> Samples:
    """Label sets: one label, lists as text, triples as text."""
    words = {"input": {"raw_text": "t", "prompt": "<<<raw_text>>>"}}
    if task.parameters.get("split") != "items":
        key = ["category", "text", "sentiment", "label"][task.number % 4]
        return Samples("classification", lambda i: {**words, "output": {key: ["Positive", "Negative"][i % 2]}}, lambda i: ["positive", "negative"][i % 2], lambda i: "neutral")
    if re.search(r"relation|-re$|interaction|triplet|quad|pair|ppi", name):
        return Samples(
            "relation extraction", lambda i: {**words, "output": {"text": f"({_WHO[i]} => near => {_WHERE[i]}, ({_WHERE[i]} => has => {_WHO[i]}"}},
            lambda i: f"({_WHO[i]} => near => {_WHERE[i]}), ({_WHERE[i]}=>has=>{_WHO[i]})", lambda i: "(a => b => c), (d => e => f)",
        )  # fmt: skip
    kind = "event detection" if "event" in name else "parsing" if "parsing" in name or "speech" in name else "ner" if "ner" in name or "recognition" in name else "extraction"
    rights: list[Callable[[int], Any]] = [lambda i: f"{_WHO[i]}<p>{_WHERE[i]}", lambda i: f"{_WHERE[i]}, {_WHO[i]}", lambda i: [_WHO[i], _WHERE[i]]]
    return Samples(kind, lambda i: {**words, "output": {"found": f"{_WHO[i].title()}, {_WHERE[i]}", "note": 1}}, lambda i: rights[i % 3](i), lambda i: "nothing, nobody")


# Other modalities


def _input(task: Task, i: int) -> dict[str, Any]:
    if task.modality == "image":
        return {"image_file": [f"images/{i}.png", f"{i}.png", f"./data/comprehension/x/images/{i}.png"][i % 3], "question": "q"}
    if task.modality == "video":
        return {"prompt": "p", "video_file_list": [f"{i}/1.jpg", f"{i}/2.jpg"]}
    if task.modality == "audio":
        return {"audio_file": f"clips\\{i}.wav", "prompt": "p"}
    return {"pointcloud_file": f"pointclouds/{i}.npz", "question": "q"}


def _kind(task: Task) -> str:
    return "comprehension" if task.number % 2 else f"{task.modality} comprehension"


def _answer(task: Task) -> Samples:
    """Recognition and questions: the nested keys and forms of answers in turn."""
    form = task.number % 6
    key = ["text", "prediction", "answer", "category", "response", "text"][form]
    if form == 2:
        return Samples(
            _kind(task), lambda i: {"input": {**_input(task, i), "options": [f"{letter}. {city}" for letter, city in zip("ABCD", _CITIES, strict=True)]}, "output": {key: "ABCD"[i % 4]}},
            lambda i: _DRESSES[i].format("ABCD"[i % 4], _CITIES[i % 4]), lambda i: "A and D",
        )  # fmt: skip
    truth: Callable[[int], Any] = [
        lambda i: [_WHO[i], f"a {_WHO[i]}"], lambda i: _WHO[i], lambda i: "", lambda i: f"Solution {'ABCD'[i % 4]}", lambda i: ["Yes", "no"][i % 2], lambda i: 3 * i,
    ][form]  # fmt: skip
    right: Callable[[int], Any] = [
        lambda i: f"A {_WHO[i]}.", lambda i: [f"{_WHO[i].title()}", f"The answer is {_WHO[i]}."][i % 2], lambda i: "", lambda i: f"solution {'ABCD'[i % 4]}",
        lambda i: [f"{'Yes' if i % 2 == 0 else 'No'}, it is so.", ["true", "false"][i % 2]][i % 3 % 2], lambda i: [3 * i, f"There are {3 * i}."][i % 2],
    ][form]  # fmt: skip
    def wrong(i: int) -> Any:
        return ["no", "yes"][i % 2] if form == 4 else "between 5 and 100" if form == 5 else "something else"
    return Samples(_kind(task), lambda i: {"input": _input(task, i), "output": {key: truth(i)}}, right, wrong)


def _matching(task: Task) -> Samples:
    return Samples(
        "Match", lambda i: {"input": {"prompt": "p", "video_folder": f"v/{i}"}, "output": {"answer": "ABCD"[i % 4]}},
        lambda i: _DRESSES[i % 4].format("ABCD"[i % 4]), lambda i: "ABCD"[(i + 1) % 4],
    )  # fmt: skip


def _caption(task: Task) -> Samples:
    if "chinese" in task.task_id:  # scored by character: the wrong answer has as many, and none of them
        texts = [f"一只{animal}在{place}休息" for animal, place in zip("猫狗马牛羊鸟鱼虎", "河山树路桥田湖海", strict=True)]
        return Samples(_kind(task), lambda i: {"input": _input(task, i), "output": {"text": texts[i]}}, lambda i: texts[i], lambda i: "天地玄黄宇宙洪"[: len(texts[i])])
    key = ["text", "response", "text", "caption"][task.number % 4]
    some = task.number % 3 == 0
    return Samples(_kind(task), lambda i: {"input": _input(task, i), "output": {key: [sentence(i), sentence(i)] if some else sentence(i)}}, sentence, other)


def _audio(task: Task) -> Samples:
    if task.folder == "BirdSoundDetection":
        return Samples(_kind(task), lambda i: {"input": _input(task, i), "output": {"text": i % 2}}, lambda i: ["No", "Yes, a bird.", 0, "1"][i % 4], lambda i: ["yes", "no"][i % 2])
    if task.folder == "NoteQualitiesAnalysis":
        return Samples(
            _kind(task), lambda i: {"input": _input(task, i), "output": {"text": ["bright", _WHO[i]]}},
            lambda i: [f"{_WHO[i]}, Bright", ["bright", _WHO[i]]][i % 2], lambda i: ["bright", ["bright", _WHO[i], "dark"]][i % 2],
        )  # fmt: skip
    if task.folder == "IntentClassification":
        maps = {
            "action": {"0": "activate", "1": "increase", "activate": 0, "increase": 1}, "object": {"lights": 0, "heat": 1},
            "location": {"0": "none", "1": "kitchen"},
        }  # fmt: skip
        action, thing = ["activate", "increase"], ["lights", "heat"]
        return Samples(
            _kind(task), lambda i: {"input": _input(task, i), "output": {"text": f"{i % 2} {i % 2} 1"}},
            lambda i: f"{action[i % 2]}, {thing[i % 2]}, kitchen" if i < 4 else f"{action[i % 2]} {thing[i % 2]} kitchen", lambda i: "activate lights none", {"intent_label": maps},
        )  # fmt: skip
    if task.metric_id != "accuracy":
        return _caption(task)
    return Samples(_kind(task), lambda i: {"input": _input(task, i), "output": {"text": _WHO[i]}}, lambda i: _WHO[i].upper(), other)


def _counting(task: Task) -> Samples:
    return Samples(
        _kind(task), lambda i: {"input": _input(task, i), "output": {["text", "prediction", "count"][i % 3]: [7 + i, str(7 + i)][i % 2]}},
        lambda i: [f"I count {7 + i} of them.", 7 + i][i % 2], lambda i: f"{11 + i}",
    )  # fmt: skip


def _entities(task: Task) -> Samples:
    truth = [lambda i: {"PER": [_WHO[i]], "LOC": _WHERE[i]}, lambda i: [{"text": _WHO[i], "type": "PER"}, {"text": _WHERE[i], "type": "LOC"}], lambda i: f"{_WHO[i]} => PER, {_WHERE[i]} => LOC"]
    return Samples(_kind(task), lambda i: {"input": _input(task, i), "output": {"entities" if i % 3 < 2 else "text": truth[i % 3](i)}}, lambda i: truth[(i + 1) % 3](i), lambda i: "a => PER<p>b => LOC")


def _relation(task: Task) -> Samples:
    return Samples(_kind(task), lambda i: {"input": _input(task, i), "output": {"relation": f"/per/{_WHO[i]}"}}, lambda i: f"/Per/{_WHO[i]}", lambda i: "/per/loc")


def _two_classes(task: Task) -> Samples:
    names = ["cause", "enable"]
    return Samples(_kind(task), lambda i: {"input": _input(task, i), "output": {"text" if i % 3 else "prediction": names[i % 2]}}, lambda i: names[i % 2].upper(), lambda i: "unknown")


def _events(task: Task) -> Samples:
    return Samples(
        _kind(task), lambda i: {"input": _input(task, i), "output": {"text": f"Move => {_DOES[i]}"} if i % 2 else {"events": [{"type": "Move", "trigger": _DOES[i]}]}},
        lambda i: f"(Move => {_DOES[i]})", lambda i: "Attack => bombed",
    )  # fmt: skip


def _judged(task: Task) -> Samples:
    return Samples(_kind(task), lambda i: {"input": _input(task, i), "output": {"text": sentence(i)}}, lambda i: {"verdict": 1, "judge": "j"}, lambda i: {"verdict": 0, "judge": "j"})


def _situated(task: Task) -> Samples:
    return Samples(_kind(task), lambda i: {"input": _input(task, i), "output": {"answer": [_WHO[i], f"the {_WHO[i]}"]}}, lambda i: [f" The {_WHO[i]}. ", [_WHO[i], "x"]][i % 2], lambda i: f"{_WHO[i]} there")
