"""Runs in .oracles/nuscenes: detection by nuscenes-devkit 1.2.0. Standard input holds frames of predictions and references in our form."""

import json
import math
import sys

import numpy as np
from nuscenes.eval.common.data_classes import EvalBoxes
from nuscenes.eval.detection.algo import accumulate, calc_ap, calc_tp
from nuscenes.eval.detection.config import config_factory
from nuscenes.eval.detection.constants import TP_METRICS
from nuscenes.eval.detection.data_classes import DetectionBox, DetectionMetrics

CONFIG = config_factory("detection_cvpr_2019")


def boxes_of(frames, reference):
    boxes = EvalBoxes()
    for token, frame in enumerate(frames):
        kept = []
        for item in frame:
            box = DetectionBox(
                str(token), tuple(item["center"]), tuple(item["size"]), (math.cos(item["yaw"] / 2), 0.0, 0.0, math.sin(item["yaw"] / 2)),
                tuple(item.get("velocity", (math.nan, math.nan))), tuple(item["center"]), item.get("points", -1) if reference else -1, item["label"],
                item.get("score", -1.0), "",
            )
            box.attribute_name = item.get("attribute", "")
            if box.ego_dist < CONFIG.class_range[box.detection_name] and box.num_pts != 0:
                kept.append(box)
        boxes.add_boxes(str(token), kept)
    return boxes


def evaluated(request):
    prediction, reference = boxes_of(request["prediction"], False), boxes_of(request["reference"], True)
    metrics, present = DetectionMetrics(CONFIG), {}
    for name in CONFIG.class_names:
        data = {distance: accumulate(reference, prediction, name, CONFIG.dist_fcn_callable, distance) for distance in CONFIG.dist_ths}
        for distance, found in data.items():
            metrics.add_label_ap(name, distance, calc_ap(found, CONFIG.min_recall, CONFIG.min_precision))
        for kind in TP_METRICS:
            none = (name == "traffic_cone" and kind in ("attr_err", "vel_err", "orient_err")) or (name == "barrier" and kind in ("attr_err", "vel_err"))
            metrics.add_label_tp(name, kind, np.nan if none else calc_tp(data[CONFIG.dist_th_tp], CONFIG.min_recall, kind))
        present[name] = any(box.detection_name == name for box in reference.all)
    result = metrics.serialize()
    return {"map": result["mean_ap"], "aps": result["mean_dist_aps"], "errors": result["label_tp_errors"], "tp": result["tp_errors"], "nds": result["nd_score"], "present": present}


print(json.dumps([evaluated(request) for request in json.load(sys.stdin)]))
