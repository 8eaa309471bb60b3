"""Runs in .oracles/nuscenes: tracking by nuscenes-devkit 1.2.0, and HOTA and IDF1 by TrackEval 1.0.0 at the devkit's best threshold.

Standard input holds sets of scenes in our form; frames are half a second apart, or at the scene's `times`.
"""

import contextlib
import io
import json
import math
import sys
import time

import numpy as np
import trackeval
from nuscenes.eval.common.config import config_factory
from nuscenes.eval.common.data_classes import EvalBoxes
from nuscenes.eval.tracking import loaders
from nuscenes.eval.tracking.constants import AVG_METRIC_MAP, TRACKING_METRICS
from nuscenes.eval.tracking.data_classes import TrackingBox, TrackingMetrics
from nuscenes.eval.tracking.evaluate import TrackingEval

CONFIG = config_factory("tracking_nips_2019")


class Scenes:
    """What create_tracks asks the data set for."""

    def __init__(self, scenes):
        self.tables = {"sample": {}, "scene": {}}
        for number, scene in enumerate(scenes):
            count = len(scene["reference"])
            times = scene.get("times") or [500000 * step for step in range(count)]
            for step in range(count):
                self.tables["sample"][f"{number}/{step}"] = {"scene_token": str(number), "timestamp": times[step], "next": f"{number}/{step + 1}"}
            self.tables["scene"][str(number)] = {"name": str(number), "first_sample_token": f"{number}/0", "last_sample_token": f"{number}/{count - 1}"}

    def get(self, table, token):
        return self.tables[table][token]


def boxes_of(scenes, side):
    boxes = EvalBoxes()
    for number, scene in enumerate(scenes):
        for step, frame in enumerate(scene[side]):
            ego = (scene.get("ego") or [[0.0, 0.0]] * (step + 1))[step]
            kept = []
            for item in frame:
                place = item["center"]
                box = TrackingBox(
                    f"{number}/{step}", tuple(place), tuple(item["size"]), (math.cos(item["yaw"] / 2), 0.0, 0.0, math.sin(item["yaw"] / 2)), (0.0, 0.0),
                    (place[0] - ego[0], place[1] - ego[1], place[2]), item.get("points", -1), f"{number}:{item['track']}", item["label"], item.get("score", -1.0),
                )
                if box.num_pts != 0 and ("ego" not in scene or box.ego_dist < CONFIG.class_range[item["label"]]):
                    kept.append(box)
            boxes.add_boxes(f"{number}/{step}", kept)
    return boxes


def identities(tracks_gt, tracks_pred, name, threshold):
    """HOTA and Identity over all scenes."""
    measures, found = {"hota": trackeval.metrics.HOTA(), "id": trackeval.metrics.Identity({"THRESHOLD": 1e-9, "PRINT_CONFIG": False})}, {"hota": {}, "id": {}}
    for scene, frames in tracks_gt.items():
        objects, tracks = {}, {}
        data = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
        for stamp in frames:
            gt = [box for box in frames[stamp] if box.tracking_name == name]
            guess = [box for box in tracks_pred[scene][stamp] if box.tracking_name == name and box.tracking_score >= threshold]
            data["gt_ids"].append(np.array([objects.setdefault(box.tracking_id, len(objects)) for box in gt], int))
            data["tracker_ids"].append(np.array([tracks.setdefault(box.tracking_id, len(tracks)) for box in guess], int))
            gaps = [[math.dist(a.translation[:2], b.translation[:2]) for b in guess] for a in gt]
            data["similarity_scores"].append(np.maximum(0, 1 - np.array(gaps, float).reshape(len(gt), len(guess)) / 2))
        data |= {"num_gt_ids": len(objects), "num_tracker_ids": len(tracks)}
        data |= {"num_gt_dets": sum(map(len, data["gt_ids"])), "num_tracker_dets": sum(map(len, data["tracker_ids"]))}
        for kind, measure in measures.items():
            found[kind][scene] = measure.eval_sequence(data)
    hota, ids = (measures[kind].combine_sequences(found[kind]) for kind in ("hota", "id"))
    return {"hota": hota["HOTA"].mean(), "deta": hota["DetA"].mean(), "assa": hota["AssA"].mean(), "idf1": ids["IDF1"]}


def evaluated(scenes):
    loaders.create_splits_scenes = lambda: {"val": [str(number) for number in range(len(scenes))]}
    data = Scenes(scenes)
    evaluation = TrackingEval.__new__(TrackingEval)
    evaluation.cfg, evaluation.verbose, evaluation.output_dir, evaluation.render_classes = CONFIG, False, None, None
    started = time.perf_counter()
    evaluation.tracks_gt = loaders.create_tracks(boxes_of(scenes, "reference"), data, "val", gt=True)
    evaluation.tracks_pred = loaders.create_tracks(boxes_of(scenes, "prediction"), data, "val", gt=False)
    metrics, curves = evaluation.evaluate()
    seconds = time.perf_counter() - started
    parts = {}
    for name in CONFIG.class_names:
        curve = curves[name]
        if not np.all(np.isnan(curve.mota)) and not np.all(np.isnan(curve.confidence)):
            best = int(np.nanargmax(curve.mota))
            parts[name] = identities(evaluation.tracks_gt, evaluation.tracks_pred, name, curve.confidence[best])
    result = {name: metrics.compute_metric(name) for name in TRACKING_METRICS}
    by_class = {name: metrics.compute_metric("amota", name) for name in CONFIG.class_names}
    return {"all": result, "classes": by_class, "identities": parts, "seconds": seconds}


assert set(AVG_METRIC_MAP) == {"amota", "amotp"}
assert TrackingMetrics
with contextlib.redirect_stdout(io.StringIO()):
    answers = [evaluated(scenes) for scenes in json.load(sys.stdin)]
print(json.dumps(answers))
