"""Runs in .oracles/nuscenes: area that two oriented boxes share on the ground, by shapely 2.0."""

import json
import sys

from shapely import affinity, geometry


def shape(box):
    x, y, _, width, length, _, yaw = box
    return affinity.translate(affinity.rotate(geometry.box(-length / 2, -width / 2, length / 2, width / 2), yaw, (0, 0), use_radians=True), x, y)


print(json.dumps([shape(one).intersection(shape(other)).area for one, other in json.load(sys.stdin)]))
