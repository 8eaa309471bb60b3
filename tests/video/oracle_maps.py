"""Runs in .oracles/video: PySODMetrics 1.6.2 and the GOT-10k toolkit 0.1.3. Standard input names a file of arrays and what to compute of it."""

import json
import sys
import time

import numpy as np


def tracks(arrays):
    """Curves of the OTB experiment for each sequence, as its report makes them."""
    from got10k.experiments import ExperimentOTB

    experiment = ExperimentOTB.__new__(ExperimentOTB)  # its constructor wants the data set
    experiment.nbins_iou, experiment.nbins_ce = 21, 51
    found, seconds = [], 0.0
    for name in sorted(key for key in arrays if key.startswith("truth")):
        truth, boxes = arrays[name], arrays[name.replace("truth", "guess")]
        start = time.process_time()
        boxes = boxes.copy()
        boxes[0] = truth[0]
        ious, errors = experiment._calc_metrics(boxes, truth)
        success, precision = experiment._calc_curves(ious, errors)
        seconds += time.process_time() - start
        found.append({"auc": float(np.mean(success)), "precision": float(precision[20]), "success_50": float(success[10]), "ious": ious[:5].tolist()})
    return {"sequences": found, "seconds": seconds}


def maps(arrays):
    """The measures of pairs of 8-bit maps, each alone."""
    from py_sod_metrics import MAE, Emeasure, Smeasure, WeightedFmeasure

    found, seconds = [], 0.0
    for guess, truth in zip(arrays["guess"], arrays["truth"], strict=True):
        start = time.process_time()
        makers = {"sm": Smeasure(), "mae": MAE(), "em": Emeasure(), "wfm": WeightedFmeasure()}
        for maker in makers.values():
            maker.step(guess, truth)
        results = {name: maker.get_results()[name] for name, maker in makers.items()}
        seconds += time.process_time() - start
        found.append({**{name: float(value) for name, value in results.items() if name != "em"}, "em": float(results["em"]["curve"].mean())})
    return {"frames": found, "seconds": seconds}


if __name__ == "__main__":
    request = json.load(sys.stdin)
    arrays = dict(np.load(request["file"]))
    print(json.dumps({"tracks": tracks, "maps": maps}[request["what"]](arrays)))
