"""Networks that find and name things in frames: windows of EfficientNet-Lite0, OWLv2 and BLIP with seeded weights, against transformers' own programs."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from genlevel_evaluator import media, weights
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import EvaluatorError, SampleError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.networks.clip_text import Tokenizer
from genlevel_evaluator.weights import tensors
from genlevel_video.backbones import blip, lite0_windows, owlv2, picked, state
from genlevel_video.clips import open_clip
from genlevel_video.objects.detectors import FLOOR, Asked
from genlevel_video.objects.forms import parse
from genlevel_video.objects.words import COCO, clean
from tests.video.shown import asked, content, picture

pytestmark = pytest.mark.weights
TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
VISION = {**TINY, "image_size": 64, "patch_size": 16}


@pytest.fixture(scope="module")
def owl_model() -> Any:
    torch.manual_seed(0)
    return owlv2.model(vision=VISION, text=TINY, projection=32).eval()


@pytest.fixture(scope="module")
def owl(owl_model: Any) -> owlv2.Owlv2:
    return owlv2.Owlv2(owl_model, Tokenizer(weights.path("clip-vocabulary")))


@pytest.fixture(scope="module")
def captioner() -> blip.Captioner:
    torch.manual_seed(0)
    model = blip.model(vision={**VISION, "image_size": 32}, text={**TINY, "encoder_hidden_size": 32})
    with torch.no_grad():  # as they come, they are so small that every picture looks the same
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.3)
    return blip.Captioner(model, weights.path("minilm-l6-v2") / "vocab.txt")


# OWLv2


def test_owlv2_sees_square_pictures_as_its_own_program_prepares_them() -> None:
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil

    theirs = Owlv2ImageProcessorPil(size={"height": 64, "width": 64})
    for side in (31, 64, 150):
        frame = picture(side, side, side)
        expected = np.asarray(theirs(images=Image.fromarray(frame), return_tensors="np")["pixel_values"])[0]
        assert owlv2.prepare(frame, 64) == pytest.approx(expected, abs=2e-5)


def test_owlv2_fills_up_with_grey_at_the_right_and_below() -> None:
    grey = (0.5 - owlv2._MEAN) / owlv2._DEVIATION
    wide, high = owlv2.prepare(picture(32, 64), 64), owlv2.prepare(picture(64, 32), 64)
    assert wide[:, 34:, :] == pytest.approx(np.broadcast_to(grey[:, None, None], (3, 30, 64)), abs=1e-6)
    assert high[:, :, 34:] == pytest.approx(np.broadcast_to(grey[:, None, None], (3, 64, 30)), abs=1e-6)
    assert wide[:, :30].std() > 0.5


@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 51), (90, 33)])
def test_owlv2_finds_what_transformers_finds(owl_model: Any, owl: owlv2.Owlv2, height: int, width: int) -> None:
    """The whole forward pass and the decoding of boxes of the library, on the queries as its tokenizer would give them."""
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil

    frame, names = picture(height, width, 5), [*COCO, "unicorn"]
    tokenizer = Tokenizer(weights.path("clip-vocabulary"))
    ids = torch.from_numpy(np.stack([tokenizer(f"a photo of a {name}")[:16] for name in names]))
    mask = (torch.arange(16)[None] <= ids.argmax(dim=1, keepdim=True)).long()
    with torch.inference_mode():
        out = owl_model(input_ids=ids, attention_mask=mask, pixel_values=torch.from_numpy(owlv2.prepare(frame, 64))[None])
    (theirs,) = Owlv2ImageProcessorPil().post_process_object_detection(out, FLOOR, [(height, width)])
    mine = owl.detect(frame, ("unicorn",))
    limits = np.array([width, height, width, height])
    boxes = theirs["boxes"].numpy().clip(0, limits)
    assert mine
    for one in mine:
        near = np.abs(boxes - np.array(one["box"])).max(axis=1) < 1e-3
        same = [(names[label], float(score)) for label, score in zip(theirs["labels"][near], theirs["scores"][near], strict=True)]
        assert any(name == one["label"] and score == pytest.approx(one["score"], abs=1e-5) for name, score in same)
    # Nothing is lost but boxes outside the frame and those on a surer one of the same name.
    for box, label, score in zip(boxes, theirs["labels"], theirs["scores"], strict=True):
        if (box[2:] > box[:2]).all():
            kept = [other for other in mine if other["label"] == names[label] and other["score"] >= float(score) - 1e-5]
            assert any(owlv2._iou(np.array(other["box"]), box.astype(float)) > owlv2.SAME_BOX - 1e-6 for other in kept)


def test_owlv2_detections_do_not_depend_on_company(owl: owlv2.Owlv2) -> None:
    first, second = picture(40, 60, 1), picture(60, 40, 2)
    alone = [owl.extract([asked(("unicorn",), frame)])[0] for frame in (first, second)]
    together = owl.extract([asked(("unicorn",), frame) for frame in (first, second)])
    assert together == alone
    assert owl.extract([asked(("unicorn",), first)])[0] == alone[0]
    assert alone[0] != alone[1]
    found = parse(json.loads(alone[0]))
    assert len(found.frames) == 16
    assert set(found.frames) == {found.frames[0]}
    for one in found.frames[0]:
        assert one.label in (*COCO, "unicorn")
        assert 0 <= one.box[0] < one.box[2] <= 60
        assert 0 <= one.box[1] < one.box[3] <= 40


def test_boxes_are_decoded_to_pixels() -> None:
    centres = np.array([[0.5, 0.25, 0.5, 0.5], [0.5, 0.25, 0.5, 0.45], [0.5, 0.25, 0.5, 0.5], [0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.4, 0.4], [0.2, 0.2, 0.1, 0.1]])
    scores, labels = np.array([0.9, 0.8, 0.7, 0.9, 0.6, 0.05]), np.array([0, 0, 1, 0, 1, 1])
    found = owlv2.decoded(scores, labels, centres, ("cat", "dog"), (50, 100, 3))
    # 100 wide, 50 high: shares of a square of 100. The second lies on the first, the fourth below the frame, the last is too unsure.
    assert found == [
        {"label": "cat", "score": 0.9, "box": [25.0, 0.0, 75.0, 50.0]},
        {"label": "dog", "score": 0.7, "box": [25.0, 0.0, 75.0, 50.0]},
        {"label": "dog", "score": 0.6, "box": pytest.approx([0.0, 0.0, 30.0, 30.0])},
    ]


def test_boxes_are_those_of_the_upright_picture(owl: owlv2.Owlv2) -> None:
    """A clip that lies on its side, with a note to turn it, is detected in as a player shows it."""
    clip = open_clip(media.from_bytes(lying_clip(picture(48, 80, 7)), "a.mp4"))
    (upright,) = {frame.shape for frame in clip.pick(picked.SAMPLING)}
    assert upright == (80, 48, 3)
    found = json.loads(owl.extract([Asked(clip, ())])[0])["frames"]
    assert found[0] == owl.detect(next(iter(clip.pick(picked.SAMPLING))), ())
    edges = np.array([one["box"] for one in found[0]])
    assert edges[:, 2].max() <= 48 < edges[:, 3].max() <= 80


def lying_clip(first: np.ndarray) -> bytes:
    """An MP4 of three frames with a display matrix of a quarter turn in its track header, as phones write them."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.height, stream.width = first.shape[:2]
        for place in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(first, 9 * place, axis=1), format="rgb24")))
        container.mux(stream.encode())
    written = file.getvalue()
    at = written.index(b"tkhd") + 4 + 40
    one = 1 << 16
    return written[:at] + struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30) + written[at + 36 :]


def test_a_list_of_frames_is_a_clip(owl: owlv2.Owlv2) -> None:
    frames = [picture(30, 40, seed) for seed in range(2)]
    files = []
    for place, frame in enumerate(frames):
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "PNG")
        files.append(media.from_bytes(buffer.getvalue(), f"{place}.png"))
    clip = load("video").kinds["frame_detections"].read(Content(json=files), "prediction", {})
    found = json.loads(owl.extract([Asked(clip, ())])[0])["frames"]
    assert found == [owl.detect(frames[0], ()), *[owl.detect(frames[1], ())] * 15]


def test_long_names_end_with_their_mark(owl: owlv2.Owlv2) -> None:
    long = " ".join(f"word{i}" for i in range(20))
    assert torch.isfinite(owl._vector(long)).all()
    assert not torch.equal(owl._vector(long), owl._vector("cat"))


# BLIP


def test_blip_sees_pictures_as_its_own_program_prepares_them() -> None:
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    frame = picture(50, 70)
    expected = np.asarray(BlipImageProcessorPil(size={"height": 32, "width": 32})(images=Image.fromarray(frame), return_tensors="np")["pixel_values"])[0]
    assert blip.prepare(frame, 32) == pytest.approx(expected, abs=1e-5)


def test_captions_begin_as_asked_and_are_read_like_berts(captioner: blip.Captioner) -> None:
    from transformers import BertTokenizer

    theirs = BertTokenizer(vocab=str(weights.path("minilm-l6-v2") / "vocab.txt"))
    numbers = theirs("a picture of an unbelievably striped armadillo", add_special_tokens=True)["input_ids"]
    assert captioner.text([30522, *numbers[1:]]) == theirs.decode(numbers, skip_special_tokens=True)
    captions = [captioner.caption(picture(40, 60, seed)) for seed in (1, 1)]
    assert captions[0] == captions[1]
    assert captions[0].startswith("a picture of")
    assert len(captioner.text([0, 101, 102, 30523])) == 0


def test_a_caption_is_the_likeliest_of_its_beams(captioner: blip.Captioner) -> None:
    """The caption of three beams is at least as likely, word for word, as the greedy one of the same length rule."""
    pixels = torch.from_numpy(blip.prepare(picture(40, 60), 32))[None]
    ids = torch.tensor([captioner._prompt])
    model = captioner._model
    found = {
        beams: model.generate(pixel_values=pixels, input_ids=ids.clone(), num_beams=beams, min_length=blip.SHORTEST, max_length=blip.LONGEST, do_sample=False)[0]
        for beams in (1, blip.BEAMS)
    }

    def likelihood(tokens: torch.Tensor) -> float:
        with torch.inference_mode():
            image = model.vision_model(pixel_values=pixels).last_hidden_state
            logits = model.text_decoder(input_ids=tokens[None], encoder_hidden_states=image).logits[0].log_softmax(dim=-1)
        start = ids.shape[1] - 1
        return float(sum(logits[place - 1, tokens[place]] for place in range(start, len(tokens)))) / (len(tokens) - start)

    assert likelihood(found[blip.BEAMS]) >= likelihood(found[1]) - 1e-4


def test_things_that_are_asked_for_are_described(owl: owlv2.Owlv2, captioner: blip.Captioner) -> None:
    frame = picture(40, 60, 3)
    surest = owl.detect(frame, ())[0]
    (made,) = blip.Describer(owl, captioner).extract([asked((clean(surest["label"]),), frame)])
    first = parse(json.loads(made)).frames[0]
    described = [one for one in first if one.description]
    assert 1 <= len(described) <= blip.DESCRIBED
    assert {clean(one.label) for one in described} == {clean(surest["label"])}
    left, top, right, bottom = (int(np.floor(edge)) if place < 2 else int(np.ceil(edge)) for place, edge in enumerate(first[0].box))
    assert first[0].description == captioner.caption(frame[top:bottom, left:right])
    (captions,) = captioner.extract([asked((), frame, picture(40, 60, 4))])
    assert len(set(json.loads(captions)["captions"])) == 2


# Files of weights


def test_weights_are_read_and_those_of_another_network_refused(tmp_path: Path, owl_model: Any, owl: owlv2.Owlv2) -> None:
    arrays = {name: tensor.numpy() for name, tensor in owl_model.state_dict().items()}
    file = tmp_path / "w.safetensors"
    for given, fine in ((arrays | {"box_bias": np.zeros(3, np.float32)}, True), ({name: arrays[name] for name in list(arrays)[1:]}, False), (arrays | {"more": np.zeros(1)}, False)):
        file.write_bytes(b"".join(tensors.blocks(given)))
        torch.manual_seed(1)
        fresh = owlv2.model(vision=VISION, text=TINY, projection=32)
        if fine:
            state.load_checked(fresh, file, owlv2.WEIGHTS, without=("box_bias", "position_ids"))
            frame = picture(30, 30)
            assert owlv2.Owlv2(fresh, Tokenizer(weights.path("clip-vocabulary"))).detect(frame, ()) == owl.detect(frame, ())
        else:
            with pytest.raises(EvaluatorError, match="holds another network"):
                state.load_checked(fresh, file, owlv2.WEIGHTS, without=("box_bias", "position_ids"))
    file.write_bytes(b"".join(tensors.blocks({name: array[..., :1] for name, array in arrays.items() if array.ndim})))
    with pytest.raises(EvaluatorError, match="holds another network"):
        state.load_checked(owlv2.model(vision=VISION, text=TINY, projection=32), file, owlv2.WEIGHTS)


def test_blip_weights_of_torch_archives_are_read_with_tied_words(tmp_path: Path, captioner: blip.Captioner) -> None:
    tied = "text_decoder.cls.predictions.decoder.weight"
    saved = {name: tensor for name, tensor in captioner._model.state_dict().items() if name != tied}
    torch.save(saved, tmp_path / "w.bin")
    torch.manual_seed(1)
    fresh = blip.model(vision={**VISION, "image_size": 32}, text={**TINY, "encoder_hidden_size": 32})
    state.load_checked(fresh, tmp_path / "w.bin", blip.WEIGHTS, without=("position_ids",))
    frame = picture(40, 60)
    assert blip.Captioner(fresh, weights.path("minilm-l6-v2") / "vocab.txt").caption(frame) == captioner.caption(frame)


@pytest.mark.parametrize(("parameters", "name"), [({"detector": "owlv2"}, "owlv2-base-patch16-ensemble"), ({"captioner": "blip"}, "blip-captioning-base")])
def test_networks_that_were_not_fetched_are_named(parameters: dict[str, str], name: str) -> None:
    assert not weights.is_present(name)
    scorer = Scorer.of(load("video"), "scene" if "captioner" in parameters else "object_class", parameters)
    with pytest.raises(EvaluatorError, match=name) as caught:
        scorer.observe([RawSample("1", content(picture(8, 8)), (Content(text="beach"),))])
    assert f"fetch {name}" in str(caught.value.remedy)


def test_a_broken_clip_is_refused_by_every_network(owl: owlv2.Owlv2, captioner: blip.Captioner) -> None:
    class Broken:
        sha256 = "0" * 64

        def pick(self, sampling: object) -> Iterator[np.ndarray]:
            yield picture(8, 8)
            raise SampleError("MEDIA_TRUNCATED", "it ends", remedy="copy it again")

    for network in (lite0_windows.build(), owl, captioner, blip.Describer(owl, captioner)):
        (refused,) = network.extract([Asked(Broken(), ("cat",))])
        assert isinstance(refused, SampleError)
