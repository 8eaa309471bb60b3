"""Which of the 1,000 classes of ImageNet are things of COCO's classes; what is not here ImageNet does not know."""

from __future__ import annotations

COCO_CLASSES: dict[str, tuple[int | range, ...]] = {
    "bicycle": (444, 671), "car": (407, 436, 468, 511, 609, 627, 656, 661, 751, 817), "motorcycle": (665, 670), "airplane": (404, 895),
    "bus": (654, 779, 874), "train": (466, 547, 565, 705, 820), "truck": (555, 569, 675, 717, 864, 867),
    "boat": (472, 484, 554, 576, 625, 780, 814, 871, 914), "traffic light": (920,), "parking meter": (704,), "bench": (703,),
    "bird": (range(7, 25), range(80, 101), range(127, 147)), "cat": (range(281, 286),), "dog": (range(151, 269),), "horse": (339,),
    "sheep": (348, 349), "cow": (345,), "elephant": (101, 385, 386), "bear": (range(294, 298),), "zebra": (340,), "backpack": (414,),
    "umbrella": (879,), "handbag": (748,), "tie": (451, 457, 906), "skis": (795,), "sports ball": (430, 522, 574, 722, 768, 805, 852, 890),
    "tennis racket": (752,), "bottle": (440, 737, 898, 907), "wine glass": (572,), "cup": (504, 968), "knife": (499,), "spoon": (910,),
    "bowl": (659, 809), "banana": (954,), "apple": (948,), "orange": (950,), "broccoli": (937,), "hot dog": (934,), "pizza": (963,),
    "chair": (423, 559, 765, 857), "couch": (831,), "potted plant": (738,), "bed": (520, 564), "dining table": (532,), "toilet": (861,),
    "tv": (851,), "laptop": (620, 681), "mouse": (673,), "remote": (761,), "keyboard": (508,), "cell phone": (487,), "microwave": (651,),
    "toaster": (859,), "sink": (896,), "refrigerator": (760,), "book": (917,), "clock": (409, 530, 892), "vase": (883,), "teddy bear": (850,),
    "hair drier": (589,),
}  # fmt: skip


def members(name: str) -> list[int]:
    """The numbers of the classes behind a name.

    >>> members("cat"), members("horse")
    ([281, 282, 283, 284, 285], [339])
    """
    return [number for entry in COCO_CLASSES[name] for number in (entry if isinstance(entry, range) else (entry,))]
